package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// How many cases are not judged as they have to be.
func verifyAll(minted document) int {
	failures := 0
	for _, test := range minted.Cases {
		result := "skipped, unknown to this library"
		if isKnown(test.Algorithm) {
			var err error
			if result, err = verifyCase(test); err != nil {
				failures++
				result = "FAILED: " + err.Error()
			}
		}
		fmt.Printf("  %-20s -> %-20s %-8s %-32s %s\n", minted.Signer, library, test.Algorithm, test.Name, result)
	}
	return failures
}

func verifyCase(test testCase) (string, error) {
	header, claims, refusal := verify(test, test.Token)
	if !test.Accepted || contains(test.RefusedBy, library) {
		if refusal == nil {
			return "", fmt.Errorf("accepted, where it is to be refused")
		}
		return fmt.Sprintf("refused (%v)", refusal), nil
	}
	if refusal != nil {
		return "", fmt.Errorf("refused: %w", refusal)
	}
	if err := compare("header", header, test.Header); err != nil {
		return "", err
	}
	if err := compare("claim", claims, test.Claims); err != nil {
		return "", err
	}
	if jti, ok := claims["jti"].(string); !ok || jti == "" {
		return "", fmt.Errorf("jti is empty")
	}
	now := float64(time.Now().Unix())
	if claims["iat"].(float64) > now+60 || claims["exp"].(float64) <= now {
		return "", fmt.Errorf("iat or exp is off")
	}
	changed, err := tampered(test.Token)
	if err != nil {
		return "", err
	}
	for what, token := range changed {
		if _, _, refusal := verify(test, token); refusal == nil {
			return "", fmt.Errorf("accepted with %s", what)
		}
	}
	return "accepted, refused when tampered with", nil
}

func compare(what string, found, expected object) error {
	for name, value := range expected {
		if !reflect.DeepEqual(found[name], value) {
			return fmt.Errorf("%s %s is %v, not %v", what, name, found[name], value)
		}
	}
	return nil
}

func tampered(token string) (map[string]string, error) {
	parts := strings.Split(token, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, err
	}
	var claims object
	if err := json.Unmarshal(payload, &claims); err != nil {
		return nil, err
	}
	claims["sub"] = "mallory"
	other, err := json.Marshal(claims)
	if err != nil {
		return nil, err
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, err
	}
	signature[0] ^= 1
	join := func(payload, signature string) string {
		return strings.Join([]string{parts[0], payload, signature}, ".")
	}
	return map[string]string{
		"another sub":                     join(base64.RawURLEncoding.EncodeToString(other), parts[2]),
		"one bit of the signature turned": join(parts[1], base64.RawURLEncoding.EncodeToString(signature)),
		"no signature":                    join(parts[1], ""),
	}, nil
}

func contains(names []string, name string) bool {
	for _, found := range names {
		if found == name {
			return true
		}
	}
	return false
}
