// Replays calls with wazero. tests/engines/calls.py describes the calls.
//
//	wazero_replay CORE_WASM CALLS_JSON
//
// Prints one line of JSON.
package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

type lookup struct {
	Ranges [][3]json.RawMessage
	Else   json.RawMessage
}

type call struct {
	Export    string
	Arguments [3]*string
	Input     []json.RawMessage
	Number    *string
	Bytes     *int
	Memory    *int
}

type oneCase struct {
	Name  string
	Kind  string
	Host  map[string]lookup
	Calls []call
}

type document struct {
	Again      string
	HostFailed string `json:"host_failed"`
	Blobs      []string
	Cases      []oneCase
}

var (
	engine     wazero.Runtime
	compiled   wazero.CompiledModule
	guest      api.Module
	ctx        = context.Background()
	blobs      [][]byte
	again      int64
	hostFailed int64

	// Of the case under way.
	answers  map[string]lookup
	position int
	unasked  []string
	output   []byte
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func number(text string) int64 {
	return must(strconv.ParseInt(text, 10, 64))
}

func (l lookup) find(key int64) json.RawMessage {
	for _, entry := range l.Ranges {
		if number(string(entry[0])) <= key && key <= number(string(entry[1])) {
			return entry[2]
		}
	}
	return l.Else
}

func answer(name string, key, pointer, room int64) int64 {
	found := answers[name].find(key)
	if found == nil {
		unasked = append(unasked, fmt.Sprintf("%s(%d) was called, and the case has no answer", name, key))
		return hostFailed
	}
	var plain string
	if json.Unmarshal(found, &plain) == nil {
		return number(plain)
	}
	var source struct{ Text, File *int }
	if err := json.Unmarshal(found, &source); err != nil {
		panic(err)
	}
	var data []byte
	if source.Text != nil {
		data = blobs[*source.Text]
	} else {
		data = blobs[*source.File][position:]
	}
	data = data[:min(len(data), int(room))]
	if source.File != nil {
		position += len(data)
	}
	if !guest.Memory().Write(uint32(pointer), data) {
		panic("the artifact named a buffer outside its memory")
	}
	return int64(len(data))
}

func defineImports() {
	builders := map[string]wazero.HostModuleBuilder{}
	i64 := api.ValueTypeI64
	for _, function := range compiled.ImportedFunctions() {
		module, name, _ := function.Import()
		if builders[module] == nil {
			builders[module] = engine.NewHostModuleBuilder(module)
		}
		host := api.GoModuleFunc(func(_ context.Context, _ api.Module, stack []uint64) {
			stack[0] = uint64(answer(name, int64(stack[1]), int64(stack[2]), int64(stack[3])))
		})
		signature := []api.ValueType{i64, i64, i64, i64}
		builders[module].NewFunctionBuilder().WithGoModuleFunction(host, signature, signature[:1]).Export(name)
	}
	for _, builder := range builders {
		must(builder.Instantiate(ctx))
	}
}

func instantiate() {
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize")
	guest = must(engine.InstantiateModule(ctx, compiled, config))
}

func bytesAt(pointer, length uint32) ([]byte, error) {
	data, inside := guest.Memory().Read(pointer, length)
	if !inside {
		return nil, fmt.Errorf("%d bytes at %d lie outside the memory", length, pointer)
	}
	return data, nil
}

func invoke(export string, parameters ...int64) (int64, error) {
	stack := make([]uint64, 4)
	for place, parameter := range parameters {
		stack[place] = uint64(parameter)
	}
	results, err := guest.ExportedFunction(export).Call(ctx, stack...)
	if err != nil {
		return 0, err
	}
	return int64(results[0]), nil
}

func inputOf(c call) []byte {
	data := []byte{}
	for _, part := range c.Input {
		if string(part) == `"output"` {
			data = append(data, output...)
		} else {
			data = append(data, blobs[number(string(part))]...)
		}
	}
	return data
}

func start(data []byte) []byte {
	return data[:min(len(data), 40)]
}

func compareBytes(result int64, want *int) error {
	if result < 0 {
		return fmt.Errorf("status %d instead of bytes", result)
	}
	data, err := bytesAt(uint32(result>>32), uint32(result))
	if err != nil {
		return err
	}
	output = bytes.Clone(data)
	if want != nil && !bytes.Equal(output, blobs[*want]) {
		return fmt.Errorf("%q instead of %q", start(output), start(blobs[*want]))
	}
	return nil
}

func perform(c call) error {
	data := inputOf(c)
	address, err := invoke("sky_input", int64(len(data)))
	if err != nil {
		return err
	}
	if address < 0 || !guest.Memory().Write(uint32(address), data) {
		return fmt.Errorf("sky_input gave %d", address)
	}
	parameters := make([]int64, 4)
	for place, text := range c.Arguments {
		parameters[place] = int64(len(data))
		if text != nil {
			parameters[place] = number(*text)
		}
	}
	result, err := invoke(c.Export, parameters...)
	for parameters[3] = 1; err == nil && result == again; {
		result, err = invoke(c.Export, parameters...)
	}
	if err != nil {
		return err
	}
	if c.Number == nil {
		err = compareBytes(result, c.Bytes)
	} else if result != number(*c.Number) {
		err = fmt.Errorf("%d instead of %s", result, *c.Number)
	}
	if err != nil || c.Memory == nil {
		return err
	}
	want := blobs[*c.Memory]
	if got, err := bytesAt(uint32(address), uint32(len(want))); err != nil || !bytes.Equal(got, want) {
		return fmt.Errorf("the input buffer holds other bytes than recorded")
	}
	return nil
}

func replay(one oneCase) string {
	answers, position, unasked = one.Host, 0, nil
	problem := ""
	for _, c := range one.Calls {
		if err := perform(c); err != nil {
			problem = fmt.Sprintf("%s: %v", c.Export, err)
			instantiate()
			break
		}
	}
	if len(unasked) > 0 {
		problem = unasked[0]
	}
	return problem
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/tetratelabs/wazero" {
			return module.Version[1:]
		}
	}
	return "unknown"
}

func main() {
	var calls document
	if err := json.Unmarshal(must(os.ReadFile(os.Args[2])), &calls); err != nil {
		panic(err)
	}
	for _, text := range calls.Blobs {
		blobs = append(blobs, must(hex.DecodeString(text)))
	}
	again, hostFailed = number(calls.Again), number(calls.HostFailed)
	engine = wazero.NewRuntime(ctx)
	compiled = must(engine.CompileModule(ctx, must(os.ReadFile(os.Args[1]))))
	defineImports()
	instantiate()
	passed := map[string]int{"answer": 0, "refusal": 0, "batch": 0}
	failures := []string{}
	for _, one := range calls.Cases {
		if problem := replay(one); problem == "" {
			passed[one.Kind]++
		} else {
			failures = append(failures, one.Name+": "+problem)
		}
	}
	line := map[string]any{"version": version(), "processor": runtime.GOARCH, "passed": passed, "failures": failures}
	fmt.Println(string(must(json.Marshal(line))))
}
