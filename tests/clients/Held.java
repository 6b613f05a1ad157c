/** A process that does nothing, like a server at rest. */
public final class Held {
    public static void main(String[] arguments) throws Exception {
        System.out.println("ready " + System.getProperty("java.version"));
        while (System.in.read() >= 0) {
            continue;
        }
    }
}
