package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"sync"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	gateway_client "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// A gateway stands where BuildKit's daemon would: it says that every image
// exists, keeps the names of those it is asked for, and has an empty context.
type gateway struct {
	build   *Build
	machine ocispecs.Platform
	opts    gateway_client.BuildOpts

	mutex  sync.Mutex
	images []string
}

var _ gateway_client.Client = (*gateway)(nil)

// A daemon of the frontend's own version can do all that the frontend knows.
var everyCap = pb.Caps.CapSet(pb.Caps.All())

var errNotHere = errors.New("the oracle has no daemon")

func newGateway(build *Build, machine ocispecs.Platform) *gateway {
	opts := map[string]string{}
	for name, value := range build.Args {
		opts["build-arg:"+name] = value
	}
	for name, value := range build.Contexts {
		opts["context:"+name] = value
	}
	return &gateway{
		build:   build,
		machine: machine,
		opts: gateway_client.BuildOpts{
			Opts:    opts,
			Workers: []gateway_client.WorkerInfo{{Platforms: []ocispecs.Platform{machine}}},
			LLBCaps: everyCap,
			Caps:    everyCap,
		},
	}
}

// asked is every image asked for so far, sorted.
func (gateway *gateway) asked() []string {
	gateway.mutex.Lock()
	defer gateway.mutex.Unlock()
	images := append([]string{}, gateway.images...)
	slices.Sort(images)
	return slices.Compact(images)
}

func (gateway *gateway) ResolveImageConfig(_ context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	gateway.mutex.Lock()
	gateway.images = append(gateway.images, ref)
	gateway.mutex.Unlock()

	platform := gateway.machine
	if opt.ImageOpt != nil && opt.ImageOpt.Platform != nil {
		platform = *opt.ImageOpt.Platform
	}
	config := gateway.build.Images[ref]
	image := dockerspec.DockerOCIImage{
		Image: ocispecs.Image{
			Platform: platform,
			// Without a layer it would be taken for scratch.
			RootFS: ocispecs.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromString(ref)}},
		},
		Config: dockerspec.DockerOCIImageConfig{
			ImageConfig:             ocispecs.ImageConfig{Env: config.Env},
			DockerOCIImageConfigExt: dockerspec.DockerOCIImageConfigExt{OnBuild: config.OnBuild},
		},
	}
	data, err := json.Marshal(image)
	return ref, "", data, err
}

func (gateway *gateway) BuildOpts() gateway_client.BuildOpts {
	return gateway.opts
}

func (gateway *gateway) Solve(context.Context, gateway_client.SolveRequest) (*gateway_client.Result, error) {
	result := gateway_client.NewResult()
	result.SetRef(emptyFolder{})
	return result, nil
}

func (gateway *gateway) ResolveSourceMetadata(context.Context, *pb.SourceOp, sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	return nil, errNotHere
}

func (gateway *gateway) Inputs(context.Context) (map[string]llb.State, error) {
	return nil, nil
}

func (gateway *gateway) NewContainer(context.Context, gateway_client.NewContainerRequest) (gateway_client.Container, error) {
	return nil, errNotHere
}

func (gateway *gateway) Warn(context.Context, digest.Digest, string, gateway_client.WarnOpts) error {
	return nil
}

// An emptyFolder is every context's content.
type emptyFolder struct{}

func (emptyFolder) ToState() (llb.State, error)    { return llb.Scratch(), nil }
func (emptyFolder) Evaluate(context.Context) error { return nil }

func (emptyFolder) ReadFile(context.Context, gateway_client.ReadRequest) ([]byte, error) {
	return nil, fs.ErrNotExist
}

func (emptyFolder) StatFile(context.Context, gateway_client.StatRequest) (*fstypes.Stat, error) {
	return nil, fs.ErrNotExist
}

func (emptyFolder) ReadDir(context.Context, gateway_client.ReadDirRequest) ([]*fstypes.Stat, error) {
	return nil, nil
}
