// Command oracle answers what BuildKit's own Dockerfile frontend, and
// distribution/reference, make of a text. fromguard's tests hold its answers
// against fromguard's; nothing of fromguard is in here.
//
// It reads one JSON question per line from standard input and writes one JSON
// answer per line to standard output, in the same order.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/sirupsen/logrus"
)

// Question is one line of input: a reference, a Dockerfile, or neither (which
// asks for the versions of the modules that answer).
type Question struct {
	Reference  *string `json:"reference,omitempty"`
	Dockerfile *Build  `json:"dockerfile,omitempty"`
}

// Answer is one line of output.
type Answer struct {
	Versions  map[string]string `json:"versions,omitempty"`
	Reference *Reference        `json:"reference,omitempty"`
	Facts     []string          `json:"facts,omitempty"`
	Broken    string            `json:"broken,omitempty"`
}

func main() {
	// One at a time: the order in which BuildKit asks for images is then the
	// same on every run, and so is the error it stops at.
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(400)
	logrus.SetLevel(logrus.PanicLevel)
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}

func serve() error {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	answers := json.NewEncoder(out)
	answers.SetEscapeHTML(false)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return out.Flush()
		}
		if err != nil {
			return err
		}
		var question Question
		if err := json.Unmarshal(line, &question); err != nil {
			return fmt.Errorf("a question is not JSON: %w", err)
		}
		if err := answers.Encode(answer(question)); err != nil {
			return err
		}
		// The asker may wait for this answer before it asks on.
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}

func answer(question Question) (answer Answer) {
	defer func() {
		if cause := recover(); cause != nil {
			answer = Answer{Broken: fmt.Sprint("panic: ", cause)}
		}
	}()
	switch {
	case question.Reference != nil:
		reference := readReference(*question.Reference)
		return Answer{Reference: &reference}
	case question.Dockerfile != nil:
		return Answer{Facts: question.Dockerfile.facts()}
	default:
		return Answer{Versions: versions()}
	}
}

func versions() map[string]string {
	found := map[string]string{"go": runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			switch module.Path {
			case "github.com/moby/buildkit", "github.com/distribution/reference":
				found[module.Path] = module.Version
			}
		}
	}
	return found
}
