// Command oracle answers what BuildKit's own Dockerfile frontend, and
// distribution/reference, make of a text. fromguard's tests hold its answers
// against fromguard's; nothing of fromguard is in here.
//
// It reads one JSON question per line from standard input and writes one JSON
// answer per line to standard output, in the same order.
package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"fromguard.dev/oracle/lines"
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
	lines.Main(answer)
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
		return Answer{Versions: lines.Versions("github.com/moby/buildkit", "github.com/distribution/reference")}
	}
}
