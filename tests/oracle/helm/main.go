// Command helm answers which images charts name when Helm renders them with
// their default values.
//
// Every line of its input is a question in JSON, every line of its output the
// answer: {"folder": "path"} asks about a chart on disk, {"files": {"Chart.yaml": "…"}}
// about one that is sent, {"values": "…"} beside it lays values over its own,
// {} asks for versions.
package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"fromguard.dev/oracle/lines"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"k8s.io/apimachinery/pkg/util/yaml"
)

type question struct {
	Folder string            `json:"folder"`
	Files  map[string]string `json:"files"`
	Values string            `json:"values"`
}

type answer struct {
	Versions map[string]string `json:"versions,omitempty"`
	// What the documents name, sorted: every text under the key `image`.
	Images []string `json:"images"`
	// Documents that are no YAML when they are rendered.
	Unread []string `json:"unread,omitempty"`
	// Why the chart cannot be rendered.
	Error string `json:"error,omitempty"`
}

func main() {
	lines.Main(reply)
}

func reply(asked question) answer {
	if asked.Folder == "" && asked.Files == nil {
		return answer{Versions: lines.Versions("helm.sh/helm/v3")}
	}
	loaded, err := load(asked)
	if err != nil {
		return answer{Error: err.Error()}
	}
	rendered, err := render(loaded, asked.Values)
	if err != nil {
		return answer{Error: err.Error()}
	}
	found := map[string]bool{}
	var unread []string
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		if extension := path.Ext(name); extension != ".yaml" && extension != ".yml" {
			continue
		}
		if err := collect(rendered[name], found); err != nil {
			unread = append(unread, fmt.Sprintf("%s: %v", name, err))
		}
	}
	return answer{Images: slices.Sorted(maps.Keys(found)), Unread: unread}
}

func load(asked question) (*chart.Chart, error) {
	if asked.Folder != "" {
		return loader.Load(asked.Folder)
	}
	var files []*loader.BufferedFile
	for _, name := range slices.Sorted(maps.Keys(asked.Files)) {
		files = append(files, &loader.BufferedFile{Name: name, Data: []byte(asked.Files[name])})
	}
	return loader.LoadFiles(files)
}

func render(loaded *chart.Chart, text string) (map[string]string, error) {
	values, err := chartutil.ReadValues([]byte(text))
	if err != nil {
		return nil, err
	}
	if err := chartutil.ProcessDependenciesWithMerge(loaded, values); err != nil {
		return nil, err
	}
	options := chartutil.ReleaseOptions{Name: "release-name", Namespace: "default", Revision: 1, IsInstall: true}
	top, err := chartutil.ToRenderValuesWithSchemaValidation(loaded, values, options, chartutil.DefaultCapabilities, true)
	if err != nil {
		return nil, err
	}
	return engine.Render(loaded, top)
}

// collect notes every text under the key `image` in the documents of a text.
func collect(text string, found map[string]bool) error {
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		var document any
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		walk(document, found)
	}
}

func walk(node any, found map[string]bool) {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			if image, is := value.(string); is && key == "image" && image != "" {
				found[image] = true
			}
			walk(value, found)
		}
	case []any:
		for _, item := range node {
			walk(item, found)
		}
	}
}
