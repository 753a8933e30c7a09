// Command oracle answers questions about Dockerfiles and image references with
// the code of BuildKit and distribution/reference, so that the answers of this
// project's own readers can be compared with them.
//
// Standard input holds one JSON document a line, {"dockerfile": "…"} or
// {"ref": "…"}; standard output gets one answer a line. For a Dockerfile the
// answer lists the images that the frontend asks a registry for, over every
// pair of build and target platform out of linux/amd64 and linux/arm64.
// Nothing is fetched: a resolver records the names and makes up the answers.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

type question struct {
	Dockerfile *string `json:"dockerfile"`
	Ref        *string `json:"ref"`
}

type answer struct {
	Error    string   `json:"error,omitempty"`
	Images   []string `json:"images,omitempty"`
	Frontend string   `json:"frontend,omitempty"`
	Ref      string   `json:"ref,omitempty"`
}

var testedPlatforms = []string{"linux/amd64", "linux/arm64"}

// recorder is a resolver that knows every image.
type recorder struct {
	mu     sync.Mutex
	images []string
}

func (r *recorder) ResolveImageConfig(_ context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.images = append(r.images, ref)
	platform := ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	if opt.ImageOpt != nil && opt.ImageOpt.Platform != nil {
		platform = *opt.ImageOpt.Platform
	}
	image := ocispecs.Image{Platform: platform}
	image.RootFS.Type = "layers"
	image.RootFS.DiffIDs = []digest.Digest{digest.FromString("a layer")}
	config, err := json.Marshal(image)
	return ref, "", config, err
}

func dockerfile(text string) (result answer) {
	defer func() {
		if cause := recover(); cause != nil {
			result.Error = fmt.Sprint("panic: ", cause)
		}
	}()
	if frontend, _, _, ok := parser.DetectSyntax([]byte(text)); ok {
		result.Frontend = frontend
	}
	resolver := &recorder{}
	capabilities := pb.Caps.CapSet(pb.Caps.All())
	for _, build := range testedPlatforms {
		for _, target := range testedPlatforms {
			platform := platforms.MustParse(target)
			_, err := dockerfile2llb.Dockerfile2LLB(context.Background(), []byte(text), dockerfile2llb.ConvertOpt{
				MetaResolver:   resolver,
				TargetPlatform: &platform,
				LLBCaps:        &capabilities,
				Config:         dockerui.Config{BuildPlatforms: []ocispecs.Platform{platforms.MustParse(build)}},
			})
			if err != nil && result.Error == "" {
				result.Error = err.Error()
			}
		}
	}
	slices.Sort(resolver.images)
	result.Images = slices.Compact(resolver.images)
	return result
}

func ref(text string) answer {
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Ref: named.String()}
}

func main() {
	in := bufio.NewReader(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	questions := json.NewDecoder(in)
	answers := json.NewEncoder(out)
	for {
		var asked question
		if err := questions.Decode(&asked); err == io.EOF {
			out.Flush()
			return
		} else if err != nil {
			out.Flush()
			fmt.Fprintln(os.Stderr, "not a question:", err)
			os.Exit(1)
		}
		switch {
		case asked.Dockerfile != nil:
			answers.Encode(dockerfile(*asked.Dockerfile))
		case asked.Ref != nil:
			answers.Encode(ref(*asked.Ref))
		default:
			answers.Encode(answer{Error: "neither dockerfile nor ref"})
		}
	}
}
