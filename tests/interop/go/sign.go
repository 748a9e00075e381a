package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

type recipes struct {
	Issuer   string           `json:"issuer"`
	Audience string           `json:"audience"`
	Header   object           `json:"header"`
	Times    map[string]int64 `json:"times"`
	Claims   object           `json:"claims"`
	Cases    []recipe         `json:"cases"`
}

type recipe struct {
	Name     string           `json:"name"`
	Accepted bool             `json:"accepted"`
	Key      string           `json:"key"`
	Header   object           `json:"header"`
	JWK      object           `json:"jwk"`
	Times    map[string]int64 `json:"times"`
	Claims   object           `json:"claims"`
}

func signAll(recipes recipes, directory string) error {
	signed := document{Signer: library}
	for _, algorithm := range algorithms {
		cases, err := casesOf(algorithm, recipes)
		if err != nil {
			return err
		}
		signed.Cases = append(signed.Cases, cases...)
	}
	text, err := json.Marshal(signed)
	if err != nil {
		return err
	}
	fmt.Printf("  %-20s signed %d access tokens\n", library, len(signed.Cases))
	return os.WriteFile(filepath.Join(directory, library+".json"), text, 0o644)
}

func casesOf(algorithm string, recipes recipes) ([]testCase, error) {
	key, err := generate(algorithm)
	if err != nil {
		return nil, err
	}
	another, err := generate(algorithm)
	if err != nil {
		return nil, err
	}
	public, err := key.publicJWK()
	if err != nil {
		return nil, err
	}
	common := object{"alg": algorithm, "kid": recipes.Header["kid"]}
	public = changed(changed(public, common), object{"use": "sig"})

	var cases []testCase
	for _, recipe := range recipes.Cases {
		header := changed(changed(recipes.Header, common), recipe.Header)
		claims := claimsOf(recipes, recipe)
		signer, alg := key.private, algorithm
		switch recipe.Key {
		case "another":
			signer = another.private
		case "public":
			if signer, err = key.publicPEM(); err != nil {
				return nil, err
			}
			alg = "HS256"
		case "none":
			// The library does not sign so.
			continue
		}
		token, err := sign(alg, signer, header, claims)
		if err != nil {
			return nil, err
		}
		jwks, err := json.Marshal(object{"keys": []object{changed(public, recipe.JWK)}})
		if err != nil {
			return nil, err
		}
		cases = append(cases, testCase{
			Name:      recipe.Name,
			Algorithm: algorithm,
			Issuer:    recipes.Issuer,
			Audience:  recipes.Audience,
			JWKS:      jwks,
			Token:     token,
			Accepted:  recipe.Accepted,
			Header:    header,
			Claims:    claims,
		})
	}
	return cases, nil
}

func claimsOf(recipes recipes, recipe recipe) object {
	now := time.Now().Unix()
	claims := object{}
	for name, value := range recipes.Claims {
		claims[name] = value
	}
	for name, offset := range recipes.Times {
		claims[name] = now + offset
	}
	for name, offset := range recipe.Times {
		claims[name] = now + offset
	}
	for name, value := range recipe.Claims {
		claims[name] = value
	}
	return claims
}

// With null a member is left out.
func changed(members, changes object) object {
	merged := object{}
	for _, from := range []object{members, changes} {
		for name, value := range from {
			merged[name] = value
			if value == nil {
				delete(merged, name)
			}
		}
	}
	return merged
}
