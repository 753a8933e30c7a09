package main

import "github.com/distribution/reference"

// Reference is what distribution/reference makes of a text.
type Reference struct {
	// Normalised is the whole reference in normal form, nothing invented.
	Normalised string `json:"normalised,omitempty"`
	Domain     string `json:"domain,omitempty"`
	Path       string `json:"path,omitempty"`
	Tag        string `json:"tag,omitempty"`
	Digest     string `json:"digest,omitempty"`
	Error      string `json:"error,omitempty"`
}

func readReference(text string) Reference {
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return Reference{Error: err.Error()}
	}
	read := Reference{
		Normalised: named.String(),
		Domain:     reference.Domain(named),
		Path:       reference.Path(named),
	}
	if tagged, ok := named.(reference.Tagged); ok {
		read.Tag = tagged.Tag()
	}
	if digested, ok := named.(reference.Digested); ok {
		read.Digest = digested.Digest().String()
	}
	return read
}
