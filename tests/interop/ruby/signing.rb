require "json"

require_relative "with_ruby_jwt"

# Access tokens for the other party, as the recipes say.
module Signing
  LIBRARY = WithRubyJwt

  module_function

  def all(recipes, directory)
    cases = LIBRARY::ALGORITHMS.flat_map { |algorithm| cases_of(algorithm, recipes) }
    signer = "#{LIBRARY::NAME} #{LIBRARY::VERSION}"
    File.write(File.join(directory, "#{LIBRARY::NAME}.json"), JSON.generate({ signer: signer, cases: cases }))
    puts format("  %-20s signed %d access tokens", signer, cases.size)
  end

  def cases_of(algorithm, recipes)
    key = LIBRARY.generate(algorithm)
    another = LIBRARY.generate(algorithm)
    common = { "alg" => algorithm, "kid" => recipes["header"]["kid"] }
    public_key = LIBRARY.public_jwk(key).merge(common, "use" => "sig")
    recipes["cases"].map do |recipe|
      header = recipes["header"].merge(common, recipe.fetch("header", {})).compact
      claims = claims_of(recipes, recipe)
      token =
        case recipe["key"]
        when "another" then LIBRARY.sign(another, header, claims)
        when "none" then LIBRARY.unsecured(header, claims)
        when "public" then LIBRARY.sign_hs256(LIBRARY.public_pem(key), header, claims)
        else LIBRARY.sign(key, header, claims)
        end
      {
        name: recipe["name"],
        algorithm: algorithm,
        issuer: recipes["issuer"],
        audience: recipes["audience"],
        jwks: { keys: [public_key.merge(recipe.fetch("jwk", {})).compact] },
        token: token,
        accepted: recipe["accepted"],
        header: header,
        claims: claims
      }
    end
  end

  def claims_of(recipes, recipe)
    now = Time.now.to_i
    times = recipes["times"].merge(recipe.fetch("times", {})).transform_values { |offset| now + offset }
    recipes["claims"].merge(times, recipe.fetch("claims", {}))
  end
end
