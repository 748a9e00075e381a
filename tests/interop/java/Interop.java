import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

import org.apache.hadoop.shaded.com.nimbusds.jose.util.JSONObjectUtils;

/**
 * Checks backend JWTs with Nimbus JOSE+JWT, and makes access tokens with it.
 *
 * <pre>
 * java Interop verify FILE               every case of FILE
 * java Interop sign RECIPES DIRECTORY    writes DIRECTORY/Nimbus.json, as RECIPES says
 * </pre>
 *
 * FILE and RECIPES are described in ../README.md.
 */
final class Interop {
    private Interop() {}

    public static void main(String[] arguments) throws Exception {
        List<String> words = Arrays.asList(arguments);
        if (words.size() == 2 && words.get(0).equals("verify")) {
            int failures = Verifying.all(read(words.get(1)));
            System.exit(failures == 0 ? 0 : 1);
        } else if (words.size() == 3 && words.get(0).equals("sign")) {
            Signing.all(read(words.get(1)), Path.of(words.get(2)));
        } else {
            System.err.println("usage: java Interop verify FILE | sign RECIPES DIRECTORY");
            System.exit(2);
        }
    }

    private static Map<String, Object> read(String file) throws Exception {
        return JSONObjectUtils.parse(Files.readString(Path.of(file)));
    }

    /** A member that is an object; none is one without members. */
    @SuppressWarnings("unchecked")
    static Map<String, Object> object(Map<String, Object> json, String name) {
        return (Map<String, Object>) json.getOrDefault(name, Map.of());
    }

    @SuppressWarnings("unchecked")
    static List<Map<String, Object>> objects(Map<String, Object> json, String name) {
        return (List<Map<String, Object>>) json.get(name);
    }

    static String text(Map<String, Object> json, String name) {
        return (String) json.get(name);
    }
}
