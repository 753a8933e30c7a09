// Command compose answers what compose-go, Compose's own loader, makes of a set of
// files: each service's image, and what its build is given. fromguard's tests hold
// its answers against fromguard's; nothing of fromguard is in here.
//
// It reads one JSON question per line from standard input and writes one JSON
// answer per line to standard output, in the same order.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"fromguard.dev/oracle/lines"
	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"
)

const module = "github.com/compose-spec/compose-go/v2"

// Question is one line of input: files and which of them to load, or neither
// (which asks for the version of the module that answers).
type Question struct {
	// Files by their paths, when they stand in the question.
	Files map[string]string `json:"files,omitempty"`
	// Folder holds the files otherwise.
	Folder string `json:"folder,omitempty"`
	// Load names the files to load, in order; none for what Compose finds itself.
	Load []string `json:"load,omitempty"`
}

// Answer is one line of output.
type Answer struct {
	Versions map[string]string `json:"versions,omitempty"`
	Facts    []string          `json:"facts,omitempty"`
	Fails    string            `json:"fails,omitempty"`
}

func main() {
	logrus.SetLevel(logrus.PanicLevel)
	lines.Main(answer)
}

func answer(question Question) (answer Answer) {
	defer func() {
		if cause := recover(); cause != nil {
			answer = Answer{Fails: fmt.Sprint("panic: ", cause)}
		}
	}()
	if question.Files == nil && question.Folder == "" {
		return Answer{Versions: lines.Versions(module)}
	}
	folder := question.Folder
	if question.Files != nil {
		made, err := os.MkdirTemp("", "compose-oracle-")
		if err != nil {
			return Answer{Fails: err.Error()}
		}
		defer os.RemoveAll(made)
		// The name of the folder is the name of the project.
		folder = filepath.Join(made, "project")
		if err := write(folder, question.Files); err != nil {
			return Answer{Fails: err.Error()}
		}
	}
	facts, err := load(folder, question.Load)
	if err != nil {
		message := strings.ReplaceAll(err.Error(), folder, "")
		return Answer{Fails: strings.Join(strings.Fields(message), " ")}
	}
	return Answer{Facts: facts}
}

func write(folder string, files map[string]string) error {
	for name, text := range files {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// load reads a project as `docker compose -f … config` does, with no environment
// but the project's `.env` and with every profile.
func load(folder string, names []string) ([]string, error) {
	var paths []string
	for _, name := range names {
		paths = append(paths, filepath.Join(folder, filepath.FromSlash(name)))
	}
	working := folder
	if len(paths) > 0 {
		working = filepath.Dir(paths[0])
	}
	options, err := cli.NewProjectOptions(paths,
		cli.WithWorkingDirectory(working),
		cli.WithEnvFiles(),
		cli.WithDotEnv,
		cli.WithDefaultConfigPath,
		cli.WithProfiles([]string{"*"}),
		cli.WithConsistency(false),
		cli.WithoutEnvironmentResolution,
		cli.WithoutLabelsResolution,
	)
	if err != nil {
		return nil, err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return nil, err
	}
	var facts []string
	for name, service := range project.Services {
		facts = append(facts, describe(folder, name, service)...)
	}
	for name, service := range project.DisabledServices {
		facts = append(facts, describe(folder, name, service)...)
	}
	sort.Strings(facts)
	return facts, nil
}

// quoted writes a text as JSON.
func quoted(text string) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func describe(folder, name string, service types.ServiceConfig) []string {
	var facts []string
	add := func(kind, value string) { facts = append(facts, fmt.Sprintf("%s %s %s", name, kind, quoted(value))) }
	if service.Image != "" {
		add("image", service.Image)
	}
	if service.PullPolicy != "" {
		add("pull_policy", service.PullPolicy)
	}
	for _, volume := range service.Volumes {
		if volume.Type == types.VolumeTypeImage {
			add("volume", volume.Source)
		}
	}
	for _, hook := range service.PreStart {
		if hook.Image != "" && hook.Image != service.Image {
			add("pre_start", hook.Image)
		}
	}
	build := service.Build
	if build == nil {
		return facts
	}
	relative := func(path string) string {
		if !filepath.IsAbs(path) {
			return path
		}
		if short, err := filepath.Rel(folder, path); err == nil {
			return filepath.ToSlash(short)
		}
		return path
	}
	add("context", relative(build.Context))
	if build.DockerfileInline != "" {
		add("inline", build.DockerfileInline)
	} else if filepath.IsAbs(build.Context) {
		dockerfile := build.Dockerfile
		if !filepath.IsAbs(dockerfile) {
			dockerfile = filepath.Join(build.Context, dockerfile)
		}
		add("dockerfile", relative(dockerfile))
	}
	for key, value := range build.Args {
		if value != nil {
			add("arg", key+"="+*value)
		}
	}
	if build.Target != "" {
		add("target", build.Target)
	}
	for _, platform := range build.Platforms {
		add("platform", platform)
	}
	if len(build.Platforms) == 0 && service.Platform != "" {
		add("platform", service.Platform)
	}
	for key, value := range build.AdditionalContexts {
		if strings.HasPrefix(value, "docker-image://") || strings.HasPrefix(value, "service:") {
			add("named", key+"="+value)
		}
	}
	for _, cache := range build.CacheFrom {
		add("cache", cache)
	}
	return facts
}
