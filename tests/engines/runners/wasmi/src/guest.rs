//! One instance of the artifact, and the wire to it.

use wasmi::{Config, Engine, ExternType, FuncType, Instance, Linker, Memory, Module, Store, Val, ValType};

pub const SLOTS: usize = 8;
pub const REFUSED: i64 = -1;
pub const AGAIN: i64 = -1 << 32;
pub const ASK: i64 = AGAIN - 1;
pub const REQUEST_CELL: usize = 1;
pub const ARGUMENT_CELL: usize = 2;
/// Sizes of the static regions: the windows for input and output, the cells.
const REGIONS: [i64; 3] = [32 * 1024, 64 * 1024, 16 * 8];
const IN_WINDOW: i64 = 1 << 29;

pub struct Guest {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
    pub regions: [i64; 3],
}

fn config() -> Config {
    let mut config = Config::default();
    config.wasm_simd(true).wasm_bulk_memory(true).wasm_sign_extension(true).wasm_saturating_float_to_int(true);
    // For the way that calls through the table are encoded; the artifact has no references.
    config.wasm_reference_types(true);
    config.wasm_mutable_global(false).wasm_multi_value(false).wasm_multi_memory(false).wasm_tail_call(false);
    config.wasm_extended_const(false).wasm_custom_page_sizes(false).wasm_relaxed_simd(false);
    // 64-bit memories are not compiled in.
    config.wasm_wide_arithmetic(false);
    config
}

/// The artifact, once it has nothing that it must not have.
pub fn module(content: &[u8]) -> Module {
    let module = Module::new(&Engine::new(&config()), content).expect("a module of these features");
    if let Some(import) = module.imports().next() {
        panic!("the artifact imports {}.{}", import.module(), import.name());
    }
    let uniform = FuncType::new([ValType::I64; SLOTS], [ValType::I64]);
    for export in module.exports() {
        let right = match (export.name(), export.ty()) {
            ("memory", kind) => matches!(kind, ExternType::Memory(_)),
            ("_initialize", ExternType::Func(kind)) => *kind == FuncType::new([], []),
            (_, ExternType::Func(kind)) => *kind == uniform,
            _ => false,
        };
        assert!(right, "the artifact's export {} is of another type", export.name());
    }
    module
}

impl Guest {
    pub fn new(module: &Module) -> Guest {
        let mut store = Store::new(module.engine(), ());
        let linker = Linker::new(module.engine());
        let instance = linker.instantiate_and_start(&mut store, module).expect("the artifact can be instantiated");
        let memory = instance.get_memory(&store, "memory").expect("memory is exported");
        if let Some(start) = instance.get_func(&store, "_initialize") {
            start.call(&mut store, &[], &mut []).expect("_initialize runs");
        }
        let mut guest = Guest { store, instance, memory, regions: [0; 3] };
        for (which, size) in REGIONS.into_iter().enumerate() {
            guest.regions[which] = guest.invoke("skywasm.buffers", &[which as i64]).expect("the regions' places");
            guest.bytes_at(guest.regions[which], size).expect("the regions lie in the memory");
        }
        guest
    }

    pub fn invoke(&mut self, export: &str, slots: &[i64]) -> Result<i64, String> {
        let function = self.instance.get_func(&self.store, export).ok_or("there is no such export")?;
        let mut parameters = [const { Val::I64(0) }; SLOTS];
        for (parameter, slot) in parameters.iter_mut().zip(slots) {
            *parameter = Val::I64(*slot);
        }
        let mut results = [Val::I64(0)];
        function.call(&mut self.store, &parameters, &mut results).map_err(|error| error.to_string())?;
        results[0].i64().ok_or_else(|| "the result is no i64".to_owned())
    }

    pub fn bytes_at(&self, pointer: i64, length: i64) -> Result<&[u8], String> {
        let data = self.memory.data(&self.store);
        let range = usize::try_from(pointer).ok().zip(usize::try_from(length).ok());
        let found = range.and_then(|(pointer, length)| data.get(pointer..)?.get(..length));
        found.ok_or_else(|| format!("{length} bytes at {pointer} lie outside the memory"))
    }

    pub fn write(&mut self, pointer: i64, data: &[u8]) -> Result<(), String> {
        self.bytes_at(pointer, data.len() as i64)?;
        self.memory.write(&mut self.store, pointer as usize, data).map_err(|error| error.to_string())
    }

    pub fn cell(&self, number: usize) -> i64 {
        let bytes = self.bytes_at(self.regions[2] + 8 * number as i64, 8).expect("the cells lie in the memory");
        i64::from_le_bytes(bytes.try_into().expect("eight bytes"))
    }

    /// Puts the input where it fits: its address, and slot 7.
    pub fn put(&mut self, data: &[u8]) -> Result<(i64, i64), String> {
        let length = data.len() as i64;
        let large = if length > REGIONS[0] { self.invoke("skywasm.reserve", &[length])? } else { 0 };
        let address = if large == 0 { self.regions[0] } else { large };
        self.write(address, data)?;
        Ok((address, large))
    }

    /// The bytes that a result names.
    pub fn output(&self, result: i64) -> Result<&[u8], String> {
        let (pointer, length) = (result >> 32, result & 0xffff_ffff);
        match length - IN_WINDOW {
            _ if pointer > 0 => self.bytes_at(pointer, length),
            length if length <= REGIONS[1] => self.bytes_at(self.regions[1], length),
            length => Err(format!("{length} bytes cannot be in the window")),
        }
    }
}
