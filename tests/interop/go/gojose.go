package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	jose "gopkg.in/square/go-jose.v2"
	"gopkg.in/square/go-jose.v2/jwt"
)

// What the other files ask of the library, which does not know its own version.
const library = "go-jose"

var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"}

func isKnown(algorithm string) bool {
	return contains(algorithms, algorithm)
}

// Header and claims. The library chooses the key by the token's kid.
func verify(test testCase, token string) (object, object, error) {
	var jwks jose.JSONWebKeySet
	if err := json.Unmarshal(test.JWKS, &jwks); err != nil {
		return nil, nil, err
	}
	parsed, err := jwt.ParseSigned(token)
	if err != nil {
		return nil, nil, err
	}
	header := parsed.Headers[0]
	if header.Algorithm != test.Algorithm {
		return nil, nil, fmt.Errorf("alg is %s", header.Algorithm)
	}
	var key interface{} = jwks
	if header.KeyID == "" && len(jwks.Keys) == 1 {
		key = jwks.Keys[0]
	}
	var registered jwt.Claims
	var claims object
	if err := parsed.Claims(key, &registered, &claims); err != nil {
		return nil, nil, err
	}
	expected := jwt.Expected{Issuer: test.Issuer, Time: time.Now()}
	if test.Audience != "" {
		expected.Audience = jwt.Audience{test.Audience}
	}
	if err := registered.ValidateWithLeeway(expected, 0); err != nil {
		return nil, nil, err
	}
	if registered.Expiry == nil || registered.IssuedAt == nil {
		return nil, nil, errors.New("no exp or no iat")
	}
	members := object{"alg": header.Algorithm, "kid": header.KeyID}
	for name, value := range header.ExtraHeaders {
		members[string(name)] = value
	}
	return members, claims, nil
}

type keyPair struct {
	private interface{}
	public  crypto.PublicKey
}

func generate(algorithm string) (keyPair, error) {
	var private interface {
		Public() crypto.PublicKey
	}
	var err error
	switch algorithm {
	case "ES256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "EdDSA":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		return keyPair{}, err
	}
	return keyPair{private, private.Public()}, nil
}

func (key keyPair) publicJWK() (object, error) {
	text, err := json.Marshal(jose.JSONWebKey{Key: key.public})
	if err != nil {
		return nil, err
	}
	var members object
	return members, json.Unmarshal(text, &members)
}

func (key keyPair) publicPEM() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key.public)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), err
}

func sign(algorithm string, key interface{}, header, claims object) (string, error) {
	options := &jose.SignerOptions{}
	for name, value := range header {
		if name != "alg" {
			options.WithHeader(jose.HeaderKey(name), value)
		}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: key}, options)
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(claims).CompactSerialize()
}
