// Package lines is what the oracle's programs share: a question in JSON on each line of
// standard input, an answer in JSON on each line of standard output.
package lines

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

// Main answers until there are no more questions, and ends the program when that cannot
// be done.
func Main[Question, Answer any](answer func(Question) Answer) {
	if err := serve(answer); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}

func serve[Question, Answer any](answer func(Question) Answer) error {
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

// Versions tells which versions of these modules the program was built from.
func Versions(modules ...string) map[string]string {
	found := map[string]string{}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return found
	}
	for _, dependency := range info.Deps {
		for _, module := range modules {
			if dependency.Path == module {
				found[module] = dependency.Version
			}
		}
	}
	return found
}
