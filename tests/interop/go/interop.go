// Checks backend JWTs with go-jose, and makes access tokens with it.
//
//	interop verify FILE               every case of FILE
//	interop sign RECIPES DIRECTORY    writes DIRECTORY/go-jose.json, as RECIPES says
//
// FILE and RECIPES are described in ../README.md.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

type object = map[string]interface{}

type document struct {
	Signer string     `json:"signer"`
	Cases  []testCase `json:"cases"`
}

type testCase struct {
	Name      string          `json:"name"`
	Algorithm string          `json:"algorithm"`
	Issuer    string          `json:"issuer"`
	Audience  string          `json:"audience"`
	JWKS      json.RawMessage `json:"jwks"`
	Token     string          `json:"token"`
	Accepted  bool            `json:"accepted"`
	RefusedBy []string        `json:"refused_by,omitempty"`
	Header    object          `json:"header"`
	Claims    object          `json:"claims"`
}

func main() {
	arguments := os.Args[1:]
	switch {
	case len(arguments) == 2 && arguments[0] == "verify":
		var minted document
		succeed(read(arguments[1], &minted))
		if verifyAll(minted) > 0 {
			os.Exit(1)
		}
	case len(arguments) == 3 && arguments[0] == "sign":
		var recipes recipes
		succeed(read(arguments[1], &recipes))
		succeed(signAll(recipes, arguments[2]))
	default:
		fmt.Fprintln(os.Stderr, "usage: interop verify FILE | sign RECIPES DIRECTORY")
		os.Exit(2)
	}
}

func read(path string, into interface{}) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

func succeed(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
