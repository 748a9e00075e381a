require "base64"
require "json"

require_relative "with_ruby_jwt"

# The cases of another party, each judged as it has to be.
module Verifying
  Failed = Class.new(StandardError)
  LIBRARY = WithRubyJwt

  module_function

  # How many are not.
  def all(document)
    document["cases"].count do |test|
      result = result_of(test)
      label = "#{LIBRARY::NAME} #{LIBRARY::VERSION}"
      puts format("  %-20s -> %-20s %-8s %-32s %s", document["signer"], label, test["algorithm"], test["name"], result)
      result.start_with?("FAILED")
    end
  end

  def result_of(test)
    return "skipped, unknown to this library" unless LIBRARY::ALGORITHMS.include?(test["algorithm"])

    judge(test)
  rescue Failed => e
    "FAILED: #{e.message}"
  end

  def judge(test)
    header, claims, refusal = attempt(test, test["token"])
    if !test["accepted"] || test.fetch("refused_by", []).include?(LIBRARY::NAME)
      check(refusal, "accepted, where it is to be refused")
      return "refused (#{refusal})"
    end
    check(!refusal, "refused: #{refusal}")
    compare("header", header, test["header"])
    compare("claim", claims, test["claims"])
    check(claims["jti"].is_a?(String) && !claims["jti"].empty?, "jti is empty")
    now = Time.now.to_i
    check(claims["iat"] <= now + 60 && now < claims["exp"], "iat or exp is off")
    tampered(test["token"]).each do |what, token|
      check(attempt(test, token).last, "accepted with #{what}")
    end
    "accepted, refused when tampered with"
  end

  # Header, claims and nil, or else why the library refused.
  def attempt(test, token)
    [*LIBRARY.verify(test["jwks"], token, test["algorithm"], test["issuer"], test["audience"]), nil]
  rescue StandardError => e
    [nil, nil, e.class.name]
  end

  def compare(what, found, expected)
    expected.each do |name, value|
      check(found[name] == value, "#{what} #{name} is #{found[name].inspect}, not #{value.inspect}")
    end
  end

  def tampered(token)
    header, payload, signature = token.split(".")
    claims = JSON.parse(Base64.urlsafe_decode64(payload)).merge("sub" => "mallory")
    turned = Base64.urlsafe_decode64(signature)
    turned.setbyte(0, turned.getbyte(0) ^ 1)
    encode = ->(bytes) { Base64.urlsafe_encode64(bytes, padding: false) }
    {
      "another sub" => [header, encode.(JSON.generate(claims)), signature],
      "one bit of the signature turned" => [header, payload, encode.(turned)],
      "no signature" => [header, payload, ""]
    }.transform_values { |parts| parts.join(".") }
  end

  def check(truth, message)
    raise Failed, message unless truth
  end
end
