// Command kustomize answers which images kustomize renders: it builds every
// kustomization of a tree that no other one is built from, with kustomize's own
// code, and lists the images in what comes out.
//
// It reads one JSON question per line from standard input, {"files": {path: text}},
// and writes one JSON answer per line: {"images": [...], "errors": [...]}.
package main

import (
	"path"
	"sort"
	"strings"

	"fromguard.dev/oracle/lines"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

type question struct {
	Files map[string]string `json:"files"`
}

type answer struct {
	Images []string `json:"images"`
	Errors []string `json:"errors"`
}

func main() {
	lines.Main(render)
}

func render(asked question) answer {
	disk := filesys.MakeFsInMemory()
	folders := map[string]string{}
	for name, text := range asked.Files {
		if err := disk.WriteFile("/"+name, []byte(text)); err != nil {
			return answer{Errors: []string{err.Error()}}
		}
		if isKustomization(name) {
			folders[path.Dir("/"+name)] = text
		}
	}
	parts := map[string]bool{}
	for folder, text := range folders {
		var named types.Kustomization
		if yaml.Unmarshal([]byte(text), &named) != nil {
			continue
		}
		for _, entry := range append(append(named.Resources, named.Bases...), named.Components...) {
			parts[path.Join(folder, entry)] = true
		}
		if named.Kind == "Component" {
			parts[folder] = true
		}
	}
	images := map[string]bool{}
	found := answer{Images: []string{}, Errors: []string{}}
	for folder := range folders {
		if parts[folder] {
			continue
		}
		options := krusty.MakeDefaultOptions()
		options.LoadRestrictions = types.LoadRestrictionsNone
		rendered, err := krusty.MakeKustomizer(options).Run(disk, folder)
		if err != nil {
			first, _, _ := strings.Cut(err.Error(), "\n")
			found.Errors = append(found.Errors, folder+": "+first)
			continue
		}
		for _, resource := range rendered.Resources() {
			value, err := resource.Map()
			if err == nil && resource.GetKind() != "CustomResourceDefinition" {
				collect(value, images)
			}
		}
	}
	for image := range images {
		found.Images = append(found.Images, image)
	}
	sort.Strings(found.Images)
	sort.Strings(found.Errors)
	return found
}

func isKustomization(name string) bool {
	switch path.Base(name) {
	case "kustomization.yaml", "kustomization.yml", "Kustomization":
		return true
	}
	return false
}

// collect finds every container's image, and every image volume's reference.
func collect(value any, images map[string]bool) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			list, isList := inner.([]any)
			for _, item := range list {
				item, _ := item.(map[string]any)
				if image, ok := item["image"].(string); ok && isList && strings.HasSuffix(strings.ToLower(key), "containers") {
					images[image] = true
				}
				if volume, ok := item["image"].(map[string]any); ok && key == "volumes" {
					if reference, ok := volume["reference"].(string); ok {
						images[reference] = true
					}
				}
			}
			collect(inner, images)
		}
	case []any:
		for _, item := range value {
			collect(item, images)
		}
	}
}
