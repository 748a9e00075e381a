import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.apache.hadoop.shaded.com.nimbusds.jose.jwk.JWK;
import org.apache.hadoop.shaded.com.nimbusds.jose.util.JSONObjectUtils;

/** Access tokens for the other party, as the recipes say. */
final class Signing {
    private Signing() {}

    static void all(Map<String, Object> recipes, Path directory) throws Exception {
        List<Map<String, Object>> cases = new ArrayList<>();
        for (String algorithm : Nimbus.ALGORITHMS) {
            cases.addAll(casesOf(algorithm, recipes));
        }
        String signer = Nimbus.NAME + " " + Nimbus.version();
        String json = JSONObjectUtils.toJSONString(Map.of("signer", signer, "cases", cases));
        Files.writeString(directory.resolve(Nimbus.NAME + ".json"), json);
        System.out.printf("  %-20s signed %d access tokens%n", signer, cases.size());
    }

    private static List<Map<String, Object>> casesOf(String algorithm, Map<String, Object> recipes) throws Exception {
        JWK key = Nimbus.generate(algorithm);
        JWK other = Nimbus.generate(algorithm);
        Map<String, Object> header = new HashMap<>(Interop.object(recipes, "header"));
        header.put("alg", algorithm);
        Map<String, Object> common = Map.of("alg", algorithm, "kid", header.get("kid"), "use", "sig");
        Map<String, Object> publicKey = changed(key.toPublicJWK().toJSONObject(), common);

        List<Map<String, Object>> cases = new ArrayList<>();
        for (Map<String, Object> recipe : Interop.objects(recipes, "cases")) {
            Map<String, Object> itsHeader = changed(header, Interop.object(recipe, "header"));
            Map<String, Object> claims = claims(recipes, recipe);
            String token = switch (String.valueOf(recipe.get("key"))) {
                case "another" -> Nimbus.sign(other, itsHeader, claims);
                case "none" -> Nimbus.unsecured(itsHeader, claims);
                case "public" -> Nimbus.signHs256(Nimbus.pem(key), itsHeader, claims);
                default -> Nimbus.sign(key, itsHeader, claims);
            };
            Map<String, Object> testCase = new HashMap<>();
            testCase.put("name", recipe.get("name"));
            testCase.put("algorithm", algorithm);
            testCase.put("issuer", recipes.get("issuer"));
            testCase.put("audience", recipes.get("audience"));
            testCase.put("jwks", Map.of("keys", List.of(changed(publicKey, Interop.object(recipe, "jwk")))));
            testCase.put("token", token);
            testCase.put("accepted", recipe.get("accepted"));
            testCase.put("header", itsHeader);
            testCase.put("claims", claims);
            cases.add(testCase);
        }
        return cases;
    }

    private static Map<String, Object> claims(Map<String, Object> recipes, Map<String, Object> recipe) {
        long now = System.currentTimeMillis() / 1000;
        Map<String, Object> claims = new HashMap<>(Interop.object(recipes, "claims"));
        changed(Interop.object(recipes, "times"), Interop.object(recipe, "times"))
                .forEach((name, offset) -> claims.put(name, now + (long) offset));
        claims.putAll(Interop.object(recipe, "claims"));
        return claims;
    }

    /** With null a member is left out. */
    private static Map<String, Object> changed(Map<String, Object> members, Map<String, Object> changes) {
        Map<String, Object> merged = new HashMap<>(members);
        merged.putAll(changes);
        merged.values().removeIf(value -> value == null);
        return merged;
    }
}
