import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

import org.apache.hadoop.shaded.com.nimbusds.jose.util.Base64URL;
import org.apache.hadoop.shaded.com.nimbusds.jose.util.JSONObjectUtils;

/** The cases of another party, each judged as it has to be. */
final class Verifying {
    private Verifying() {}

    /** How many are not. */
    static int all(Map<String, Object> document) {
        int failures = 0;
        for (Map<String, Object> testCase : Interop.objects(document, "cases")) {
            String algorithm = Interop.text(testCase, "algorithm");
            String result;
            if (!Nimbus.ALGORITHMS.contains(algorithm)) {
                result = "skipped, unknown to this library";
            } else {
                try {
                    result = one(testCase);
                } catch (Failed failed) {
                    failures += 1;
                    result = "FAILED: " + failed.getMessage();
                }
            }
            System.out.printf(
                    "  %-20s -> %-20s %-8s %-32s %s%n",
                    Interop.text(document, "signer"),
                    Nimbus.NAME + " " + Nimbus.version(),
                    algorithm,
                    Interop.text(testCase, "name"),
                    result);
        }
        return failures;
    }

    private static String one(Map<String, Object> testCase) throws Failed {
        String token = Interop.text(testCase, "token");
        Attempt attempt = attempt(testCase, token);
        List<?> refusing = (List<?>) testCase.getOrDefault("refused_by", List.of());
        if (testCase.get("accepted") != Boolean.TRUE || refusing.contains(Nimbus.NAME)) {
            check(attempt.refusal() != null, "accepted, where it is to be refused");
            return "refused (" + attempt.refusal() + ")";
        }
        check(attempt.refusal() == null, "refused: " + attempt.refusal());
        Map<String, Object> claims = attempt.verified().claims();
        compare("header", attempt.verified().header(), Interop.object(testCase, "header"));
        compare("claim", claims, Interop.object(testCase, "claims"));
        check(claims.get("jti") instanceof String jti && !jti.isEmpty(), "jti is empty");
        long now = System.currentTimeMillis() / 1000;
        check((long) claims.get("iat") <= now + 60 && now < (long) claims.get("exp"), "iat or exp is off");
        for (Map.Entry<String, String> changed : tampered(token).entrySet()) {
            check(attempt(testCase, changed.getValue()).refusal() != null, "accepted with " + changed.getKey());
        }
        return "accepted, refused when tampered with";
    }

    /** What the library reads, or else why it refuses. */
    private record Attempt(Nimbus.Verified verified, String refusal) {}

    private static Attempt attempt(Map<String, Object> testCase, String token) {
        try {
            Nimbus.Verified verified = Nimbus.verify(
                    Interop.object(testCase, "jwks"),
                    token,
                    Interop.text(testCase, "algorithm"),
                    Interop.text(testCase, "issuer"),
                    Interop.text(testCase, "audience"));
            return new Attempt(verified, null);
        } catch (Exception error) {
            return new Attempt(null, error.getClass().getSimpleName());
        }
    }

    private static void compare(String what, Map<String, Object> found, Map<String, Object> expected) throws Failed {
        for (String name : expected.keySet()) {
            Object value = found.get(name);
            String fault = what + " " + name + " is " + value + ", not " + expected.get(name);
            check(Objects.equals(value, expected.get(name)), fault);
        }
    }

    private static Map<String, String> tampered(String token) {
        String[] parts = token.split("\\.");
        Map<String, Object> claims;
        try {
            claims = new HashMap<>(JSONObjectUtils.parse(new Base64URL(parts[1]).decodeToString()));
        } catch (java.text.ParseException error) {
            throw new IllegalArgumentException(error);
        }
        claims.put("sub", "mallory");
        byte[] signature = new Base64URL(parts[2]).decode();
        signature[0] ^= 1;
        Map<String, String> changed = new LinkedHashMap<>();
        String other = Base64URL.encode(JSONObjectUtils.toJSONString(claims)).toString();
        String turned = Base64URL.encode(signature).toString();
        changed.put("another sub", String.join(".", parts[0], other, parts[2]));
        changed.put("one bit of the signature turned", String.join(".", parts[0], parts[1], turned));
        changed.put("no signature", String.join(".", parts[0], parts[1], ""));
        return changed;
    }

    private static void check(boolean truth, String message) throws Failed {
        if (!truth) {
            throw new Failed(message);
        }
    }

    private static final class Failed extends Exception {
        private static final long serialVersionUID = 1;

        Failed(String message) {
            super(message);
        }
    }
}
