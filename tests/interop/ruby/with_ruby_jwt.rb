require "jwt"
require "openssl"

# What the other files ask of the library.
module WithRubyJwt
  NAME = "ruby-jwt".freeze
  VERSION = JWT.gem_version.to_s.freeze
  # Not EdDSA, for which it takes another gem, rbnacl.
  ALGORITHMS = %w[RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384].freeze
  CURVES = { "ES256" => "prime256v1", "ES384" => "secp384r1" }.freeze

  module_function

  # Header and claims. The library chooses the key by the token's kid, and by nothing else.
  def verify(jwks, token, algorithm, issuer, audience)
    _, unverified = JWT.decode(token, nil, false)
    key = JWT::JWK.import(jwks["keys"].first).keypair if !unverified.key?("kid") && jwks["keys"].one?
    claims, header = JWT.decode(
      token, key, true,
      algorithms: [algorithm], jwks: key ? nil : jwks,
      iss: issuer, verify_iss: true, aud: audience, verify_aud: !audience.nil?,
      verify_iat: true, required_claims: %w[exp iat jti]
    )
    [header, claims]
  end

  def generate(algorithm)
    curve = CURVES[algorithm]
    curve ? OpenSSL::PKey::EC.generate(curve) : OpenSSL::PKey::RSA.generate(2048)
  end

  def public_jwk(key)
    JWT::JWK.new(key).export.transform_keys(&:to_s)
  end

  def public_pem(key)
    key.public_to_pem
  end

  def sign(key, header, claims)
    JWT.encode(claims, key, header["alg"], header)
  end

  def unsecured(header, claims)
    JWT.encode(claims, nil, "none", header)
  end

  def sign_hs256(secret, header, claims)
    JWT.encode(claims, secret, "HS256", header)
  end
end
