// Replays calls with wazero. tests/engines/calls.py describes the calls.
//
//	wazero_replay CORE_WASM CALLS_JSON
//
// Prints one line of JSON.
package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
)

type call struct {
	Export     string
	Slots      []*string
	Input      []json.RawMessage
	Result     *string
	Bytes      *int
	Refusable  bool
	Cells      map[string]string
	Pointed    map[string]int
	InputAfter *int `json:"input_after"`
}

type oneCase struct {
	Name  string
	Kind  string
	Host  map[string][][3]json.RawMessage
	Calls []call
}

type document struct {
	Requests map[string]struct {
		Name string
		Room int
	}
	Blobs []string
	Cases []oneCase
}

var (
	calls document
	blobs [][]byte

	// Of the case under way.
	answers  map[string][][3]json.RawMessage
	position int
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

func textOf(raw json.RawMessage) string {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		panic(err)
	}
	return text
}

// The host's answer to the request in the cells; raised where it raises.
func (g *guest) answer() (value int64, raised bool, err error) {
	asked, key := strconv.FormatInt(g.cell(requestCell), 10), g.cell(argumentCell)
	request := calls.Requests[asked]
	for _, entry := range answers[asked] {
		if key < number(textOf(entry[0])) || number(textOf(entry[1])) < key {
			continue
		}
		switch entry[2][0] {
		case 'n':
			return 0, true, nil
		case '"':
			return number(textOf(entry[2])), false, nil
		}
		room, err := g.bytesAt(g.cell(request.Room), g.cell(request.Room+1))
		return written(room, entry[2]), false, err
	}
	return 0, false, fmt.Errorf("%s(%d) was asked as request %s, and the case has no answer", request.Name, key, asked)
}

// Writes a text, or what follows of a file.
func written(room []byte, raw json.RawMessage) int64 {
	var source struct{ Text, File *int }
	if err := json.Unmarshal(raw, &source); err != nil {
		panic(err)
	}
	if source.Text != nil {
		return int64(copy(room, blobs[*source.Text]))
	}
	length := copy(room, blobs[*source.File][position:])
	position += length
	return int64(length)
}

func inputOf(c call) []byte {
	data := []byte{}
	for _, part := range c.Input {
		if part[0] == '"' {
			data = append(data, output...)
		} else {
			data = append(data, blobs[number(string(part))]...)
		}
	}
	return data
}

func perform(g *guest, c call) error {
	data := inputOf(c)
	slots := make([]int64, 0, slotCount)
	for _, text := range c.Slots {
		if text == nil {
			slots = append(slots, int64(len(data)))
		} else {
			slots = append(slots, number(*text))
		}
	}
	address, large, err := g.put(data)
	if err != nil {
		return err
	}
	result, raised, err := g.call(c.Export, slots, large)
	if err != nil {
		return err
	}
	if err := compare(g, c, result, raised); err != nil {
		return err
	}
	if c.InputAfter != nil {
		if err := compareBytes(g, "the input afterwards", address, *c.InputAfter); err != nil {
			return err
		}
	}
	if large != 0 {
		_, err = g.invoke("skywasm.reserve", 0)
	}
	return err
}

func compare(g *guest, c call, result int64, raised bool) error {
	text := strconv.FormatInt(result, 10)
	if raised {
		text = "raised"
	}
	if c.Refusable && result == refused {
		return nil
	}
	if c.Result != nil && text != *c.Result {
		return fmt.Errorf("%s instead of %s", text, *c.Result)
	}
	if c.Result == nil {
		if raised || result < 0 {
			return fmt.Errorf("%s instead of bytes", text)
		}
		if err := compareOutput(g, result, c.Bytes); err != nil {
			return err
		}
	}
	for cell, want := range c.Cells {
		if got := g.cell(int(number(cell))); got != number(want) {
			return fmt.Errorf("%d instead of %s in cell %s", got, want, cell)
		}
	}
	for cell, blob := range c.Pointed {
		if err := compareBytes(g, "what cell "+cell+" names", g.cell(int(number(cell))), blob); err != nil {
			return err
		}
	}
	return nil
}

func compareOutput(g *guest, result int64, want *int) error {
	data, err := g.output(result)
	if err != nil {
		return err
	}
	output = bytes.Clone(data)
	if want != nil && !bytes.Equal(output, blobs[*want]) {
		start := func(data []byte) []byte { return data[:min(len(data), 40)] }
		return fmt.Errorf("%q instead of %q", start(output), start(blobs[*want]))
	}
	return nil
}

func compareBytes(g *guest, what string, pointer int64, blob int) error {
	data, err := g.bytesAt(pointer, int64(len(blobs[blob])))
	if err == nil && !bytes.Equal(data, blobs[blob]) {
		err = fmt.Errorf("%s differs from what was recorded", what)
	}
	return err
}

func problem(g *guest, one oneCase) string {
	answers, position = one.Host, 0
	for _, c := range one.Calls {
		if err := perform(g, c); err != nil {
			return fmt.Sprintf("%s: %v", c.Export, err)
		}
	}
	return ""
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
	if err := json.Unmarshal(must(os.ReadFile(os.Args[2])), &calls); err != nil {
		panic(err)
	}
	for _, text := range calls.Blobs {
		blobs = append(blobs, must(hex.DecodeString(text)))
	}
	instantiate := load(must(os.ReadFile(os.Args[1])))
	passed := map[string]int{"answer": 0, "refusal": 0, "batch": 0}
	failures := []string{}
	g := instantiate()
	for _, one := range calls.Cases {
		if problem := problem(g, one); problem == "" {
			passed[one.Kind]++
		} else {
			failures = append(failures, one.Name+": "+problem)
			g = instantiate()
		}
	}
	instantiate()
	line := map[string]any{"version": version(), "processor": runtime.GOARCH, "passed": passed, "failures": failures}
	fmt.Println(string(must(json.Marshal(line))))
}
