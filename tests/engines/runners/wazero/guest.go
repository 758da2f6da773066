package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

const (
	slotCount    = 8
	inWindow     = 1 << 29
	refused      = -1
	again        = -1 << 32
	ask          = again - 1
	requestCell  = 1
	argumentCell = 2
)

// Sizes of the static regions: the windows for input and output, the cells.
var regionSizes = [3]int64{32 * 1024, 64 * 1024, 16 * 8}

var ctx = context.Background()

// One instance of the artifact, and where its regions lie.
type guest struct {
	module  api.Module
	regions [3]int64
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(1)
}

func signed(values []api.ValueType) bool {
	return !slices.ContainsFunc(values, func(one api.ValueType) bool { return one != api.ValueTypeI64 })
}

// Ends the program where the artifact breaks a promise.
func check(compiled wazero.CompiledModule) {
	for _, function := range compiled.ImportedFunctions() {
		module, name, _ := function.Import()
		fail(fmt.Sprintf("the artifact imports %s.%s", module, name))
	}
	for name, function := range compiled.ExportedFunctions() {
		parameters, results := function.ParamTypes(), function.ResultTypes()
		counts := [2]int{len(parameters), len(results)}
		uniform := counts == [2]int{slotCount, 1} && signed(parameters) && signed(results)
		if !uniform && !(name == "_initialize" && counts == [2]int{}) {
			fail(fmt.Sprintf("the artifact's export %s is of another type", name))
		}
	}
}

// Compiles the artifact; gives what makes instances, all of which must have their regions in one place.
func load(core []byte) func() *guest {
	engine := wazero.NewRuntime(ctx)
	compiled := must(engine.CompileModule(ctx, core))
	check(compiled)
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize")
	var first *guest
	return func() *guest {
		g := &guest{module: must(engine.InstantiateModule(ctx, compiled, config))}
		for which, size := range regionSizes {
			g.regions[which] = must(g.invoke("skywasm.buffers", int64(which)))
			must(g.bytesAt(g.regions[which], size))
		}
		if first == nil {
			first = g
		} else if first.regions != g.regions {
			fail("the windows are not where they are in another instance")
		}
		return g
	}
}

func (g *guest) invoke(export string, slots ...int64) (int64, error) {
	function := g.module.ExportedFunction(export)
	if function == nil {
		return 0, fmt.Errorf("there is no such export")
	}
	stack := make([]uint64, slotCount)
	for place, slot := range slots {
		stack[place] = uint64(slot)
	}
	err := function.CallWithStack(ctx, stack)
	return int64(stack[0]), err
}

func (g *guest) bytesAt(pointer, length int64) ([]byte, error) {
	size := int64(g.module.Memory().Size())
	if pointer < 0 || length < 0 || pointer > size || length > size-pointer {
		return nil, fmt.Errorf("%d bytes at %d lie outside the memory", length, pointer)
	}
	data, _ := g.module.Memory().Read(uint32(pointer), uint32(length))
	return data, nil
}

func (g *guest) cell(number int) int64 {
	value, _ := g.module.Memory().ReadUint64Le(uint32(g.regions[2]) + 8*uint32(number))
	return int64(value)
}

// Puts the input where it fits: its address, and slot 7.
func (g *guest) put(data []byte) (address, large int64, err error) {
	address = g.regions[0]
	if int64(len(data)) > regionSizes[0] {
		if large, err = g.invoke("skywasm.reserve", int64(len(data))); err != nil {
			return 0, 0, err
		}
		address = large
	}
	room, err := g.bytesAt(address, int64(len(data)))
	copy(room, data)
	return address, large, err
}

// Makes a call and goes on until there is a result, or the host raises.
func (g *guest) call(export string, slots []int64, large int64) (result int64, raised bool, err error) {
	full := make([]int64, slotCount)
	copy(full, slots)
	full[slotCount-1] = large
	result, err = g.invoke(export, full...)
	for err == nil && (result == again || result == ask) {
		var answer int64
		if result == ask {
			if answer, raised, err = g.answer(); raised || err != nil {
				return 0, raised, err
			}
		}
		result, err = g.invoke("skywasm.resume", answer)
	}
	return result, false, err
}

// The bytes that a result names.
func (g *guest) output(result int64) ([]byte, error) {
	pointer, length := result>>32, result&0xffffffff
	if pointer == 0 {
		pointer, length = g.regions[1], length-inWindow
		if length > regionSizes[1] {
			return nil, fmt.Errorf("%d bytes cannot be in the window", length)
		}
	}
	return g.bytesAt(pointer, length)
}
