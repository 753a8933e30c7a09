package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// The build argument that outranks a `# syntax` line (frontend/dockerfile/builder).
const syntaxArg = "BUILDKIT_SYNTAX"

// Every file is evaluated for these.
var commonPlatforms = []string{"linux/amd64", "linux/arm64"}

// Build is a Dockerfile and what it is built with.
type Build struct {
	Text string `json:"text"`
	// Platforms are the targets to build for, on machines of the same platforms and, where
	// the machine matters, of those that every file is evaluated for.
	Platforms []string          `json:"platforms"`
	Args      map[string]string `json:"args,omitempty"`
	// Contexts are named contexts: name to `docker-image://…`, `https://…`.
	Contexts map[string]string `json:"contexts,omitempty"`
	// Images are configurations of base images, by normal form.
	Images map[string]Config `json:"images,omitempty"`

	// crossed is set where the machine's platform may matter.
	crossed bool
}

// Config is the part of an image's configuration that decides what its
// children pull.
type Config struct {
	OnBuild []string `json:"onbuild,omitempty"`
	Env     []string `json:"env,omitempty"`
}

// A run is one conversion for a platform on a machine.
type run struct {
	platform, machine string
	// images are what BuildKit asks a registry for or pulls, in its form.
	images []string
	failed string
}

// Which stage is built: one by its name, or one of these.
const (
	lastStage  = ""
	everyStage = "*"
)

// facts is what the frontend makes of a build, one fact a line, in the words
// of crates/core/tests/conformance/answer.rs.
func (build *Build) facts() []string {
	var facts []string
	fact := func(head, value string) { facts = append(facts, head+": "+value) }

	switch frontend, found := build.frontend(); {
	case !found:
	case frontend.Error != "":
		fact("frontend fails", frontend.written)
	default:
		fact("frontend", frontend.Normalised)
	}
	parsed, err := parser.Parse(strings.NewReader(build.Text))
	if err != nil {
		fact("syntax", message(err))
		return facts
	}
	stages, _, err := instructions.Parse(parsed.AST, linter.New(&linter.Config{}))
	if err != nil {
		fact("syntax", message(err))
		return facts
	}
	for _, instruction := range parsed.AST.Children {
		build.crossed = build.crossed || mayName(instruction.Original, "BUILD")
	}
	var targets []string
	var triggers []triggerSource
	dependent := len(build.Images) > 0 || mayName(build.Text, "TARGETSTAGE")
	for _, stage := range stages {
		if stage.Name != "" && !slices.Contains(targets, stage.Name) {
			targets = append(targets, stage.Name)
		}
		for _, command := range stage.Commands {
			if trigger, ok := command.(*instructions.OnbuildCommand); ok {
				dependent = true
				triggers = append(triggers, triggerSources(trigger.Expression)...)
			}
		}
	}
	for _, source := range triggers {
		switch {
		case source.index, slices.Contains(targets, strings.ToLower(source.name)):
			fact("onbuild of a stage", source.name)
		case source.name != "scratch":
			fact("onbuild", source.name)
		}
	}
	last, _ := build.target("default", lastStage, nil)
	known := append(facts, last...)
	all, failing := build.target("every stage", everyStage, known)
	known = append(known, all...)
	// A failing stage hides the others; triggers and TARGETSTAGE depend on the
	// target. Everything else is in the run of every stage.
	if dependent || failing {
		for _, target := range targets {
			more, _ := build.target("target "+target, target, known)
			known = append(known, more...)
		}
	}
	return known
}

// mayName tells whether a variable may be named in a text, in which continuations
// may divide it.
func mayName(text, variable string) bool {
	letters := strings.Map(func(character rune) rune {
		if unicode.IsLetter(character) {
			return character
		}
		return -1
	}, text)
	return strings.Contains(letters, variable)
}

// machines are the platforms of the machines that a platform is built on.
func (build *Build) machines(platform string) []string {
	if !build.crossed {
		return []string{platform}
	}
	machines := slices.Clone(build.Platforms)
	for _, common := range commonPlatforms {
		if !slices.Contains(machines, common) {
			machines = append(machines, common)
		}
	}
	return machines
}

// target is what building a stage asks for and how it fails, as far as no other
// target did the same, and whether it fails at all. A platform is named where
// not all do the same.
func (build *Build) target(head, target string, known []string) (facts []string, failing bool) {
	var runs []run
	var images, failures []string
	for _, platform := range build.Platforms {
		for _, machine := range build.machines(platform) {
			run := build.run(platform, machine, target)
			images = append(images, run.images...)
			if run.failed != "" {
				failures = append(failures, run.failed)
			}
			runs = append(runs, run)
		}
	}
	add := func(verb, value string, holds func(run) bool) {
		var where []string
		for _, run := range runs {
			switch {
			case !holds(run):
			case run.machine == run.platform:
				where = append(where, run.platform)
			default:
				where = append(where, run.platform+" on "+run.machine)
			}
		}
		if len(where) < len(runs) {
			verb = " (" + strings.Join(where, ", ") + ")" + verb
		}
		fact := head + verb + ": " + value
		if !slices.ContainsFunc(known, func(known string) bool { return tail(known) == tail(fact) }) {
			facts = append(facts, fact)
		}
	}
	slices.Sort(images)
	for _, image := range slices.Compact(images) {
		add("", image, func(run run) bool { return slices.Contains(run.images, image) })
	}
	slices.Sort(failures)
	for _, failure := range slices.Compact(failures) {
		add(" fails", failure, func(run run) bool { return run.failed == failure })
	}
	return facts, len(failures) > 0
}

// tail is a run's fact without its target and platform.
func tail(fact string) string {
	head, value, _ := strings.Cut(fact, ": ")
	for _, other := range []string{"frontend", "onbuild"} {
		if strings.HasPrefix(head, other) {
			return fact
		}
	}
	if strings.HasSuffix(head, " fails") {
		return "fails: " + value
	}
	return value
}

type frontend struct {
	Reference
	written string
}

// frontend is what the builder forwards to, as frontend/dockerfile/builder does.
func (build *Build) frontend() (frontend, bool) {
	written, found := "", false
	if line, ok := build.Args[syntaxArg]; ok {
		written, _, _ = strings.Cut(strings.TrimSpace(line), " ")
		found = true
	} else {
		written, _, _, found = parser.DetectSyntax([]byte(build.Text))
	}
	return frontend{readReference(written), written}, found
}

// A triggerSource is what a trigger's --from flag names.
type triggerSource struct {
	name string
	// index is set where the name is the number of a stage.
	index bool
}

// triggerSources is what a trigger reads from. A trigger that cannot be read
// names nothing.
func triggerSources(trigger string) []triggerSource {
	parsed, err := parser.Parse(strings.NewReader(trigger))
	if err != nil || len(parsed.AST.Children) != 1 {
		return nil
	}
	command, err := instructions.ParseCommand(parsed.AST.Children[0])
	if err != nil {
		return nil
	}
	var sources []triggerSource
	switch command := command.(type) {
	case *instructions.CopyCommand:
		_, err := strconv.Atoi(command.From)
		sources = append(sources, triggerSource{command.From, err == nil})
	case *instructions.RunCommand:
		for _, mount := range instructions.GetMounts(command) {
			sources = append(sources, triggerSource{mount.From, false})
		}
	}
	return slices.DeleteFunc(sources, func(source triggerSource) bool { return source.name == "" })
}

func (build *Build) run(platform, machine, target string) run {
	run := run{platform: platform, machine: machine}
	spec, err := platforms.Parse(platform)
	if err != nil {
		run.failed = message(err)
		return run
	}
	worker, err := platforms.Parse(machine)
	if err != nil {
		run.failed = message(err)
		return run
	}
	gateway := newGateway(build, worker)
	images, err := build.convert(gateway, spec, target)
	if err != nil {
		run.failed = message(err)
	}
	// An image that only an ONBUILD trigger reaches may be in the definition,
	// and so be pulled, without having been asked for.
	run.images = append(gateway.asked(), images...)
	slices.Sort(run.images)
	run.images = slices.Compact(run.images)
	return run
}

// convert makes the build's definition and answers the images in it.
func (build *Build) convert(gateway *gateway, platform ocispecs.Platform, target string) ([]string, error) {
	ctx := context.Background()
	client, err := dockerui.NewClient(gateway)
	if err != nil {
		return nil, err
	}
	opt := dockerfile2llb.ConvertOpt{
		Config:         client.Config,
		Client:         client,
		TargetPlatform: &platform,
		MetaResolver:   gateway,
		Warn:           func(string, string, string, string, []parser.Range) {},
	}
	if target == everyStage {
		opt.AllStages = true
	} else {
		opt.Target = target
	}
	result, err := dockerfile2llb.Dockerfile2LLB(ctx, []byte(build.Text), opt)
	if err != nil {
		return nil, err
	}
	if target == everyStage {
		return nil, nil // the definition is that of the default stage
	}
	definition, err := result.State.Marshal(ctx, llb.Platform(platform))
	if err != nil {
		return nil, err
	}
	var images []string
	for _, vertex := range definition.Def {
		var op pb.Op
		if err := op.UnmarshalVT(vertex); err != nil {
			return nil, err
		}
		if source := op.GetSource(); source != nil {
			if image, ok := strings.CutPrefix(source.Identifier, "docker-image://"); ok {
				images = append(images, image)
			}
		}
	}
	return images, nil
}

const lintFailure = "lint violation found for rules: "

// message is the first line of an error: what follows is a stack or a listing.
func message(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	// The frontend lists these in no order.
	if rules, found := strings.CutPrefix(line, lintFailure); found {
		sorted := strings.Split(rules, ", ")
		slices.Sort(sorted)
		line = lintFailure + strings.Join(sorted, ", ")
	}
	return strings.Map(func(character rune) rune {
		if unicode.IsControl(character) {
			return '\uFFFD'
		}
		return character
	}, line)
}
