# Checks backend JWTs with ruby-jwt, and makes access tokens with it.
#
#     ruby interop.rb verify FILE               every case of FILE
#     ruby interop.rb sign RECIPES DIRECTORY    writes DIRECTORY/ruby-jwt.json, as RECIPES says
#
# FILE and RECIPES are described in ../README.md.

require "json"

require_relative "signing"
require_relative "verifying"

def read(path)
  JSON.parse(File.read(path, encoding: "UTF-8"))
end

case ARGV
in ["verify", file]
  exit(Verifying.all(read(file)).zero? ? 0 : 1)
in ["sign", recipes, directory]
  Signing.all(read(recipes), directory)
else
  abort "usage: ruby interop.rb verify FILE | sign RECIPES DIRECTORY"
end
