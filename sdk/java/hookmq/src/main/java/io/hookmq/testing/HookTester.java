package io.hookmq.testing;

import io.hookmq.AccessRequest;
import io.hookmq.AccessVerdict;
import io.hookmq.Credentials;
import io.hookmq.HandlerClass;
import io.hookmq.Hook;
import io.hookmq.Hooks;
import io.hookmq.Message;
import io.hookmq.Point;
import io.hookmq.PublishVerdict;
import io.hookmq.Topics;
import java.util.List;

/**
 * Calls the hooks of a handler without a broker, for unit tests with any framework:
 *
 * <pre>{@code
 * HookTester tester = HookTester.of(new Main());
 * assertEquals(PublishVerdict.reject(0x97), tester.publish(Message.of("orders/1", "x".repeat(2000))));
 * }</pre>
 *
 * What a callback throws comes out wrapped in an {@link IllegalStateException} that names it.
 */
public final class HookTester {
    private final List<Hook> hooks;

    private HookTester(List<Hook> hooks) {
        this.hooks = hooks;
    }

    /** @param handler an object with annotated methods, or a HookSource */
    public static HookTester of(Object handler) {
        return new HookTester(HandlerClass.hooksOf(handler.getClass(), handler));
    }

    public static HookTester of(Hooks hooks) {
        return new HookTester(hooks.all());
    }

    /** The hooks that the broker would be told. */
    public List<Hook> hooks() {
        return hooks;
    }

    /** What becomes of the message: the verdict that ends the chain, or the message as the last hook has left it. */
    public PublishVerdict publish(Message message) {
        Message current = message;
        for (Hook hook : of(Point.MESSAGE_PUBLISH)) {
            if (!Topics.matchesAny(hook.topics(), current.topic())) continue;
            Object answer = call(hook, current);
            if (answer instanceof Message changed) current = changed;
            else if (answer instanceof PublishVerdict.Stop stop) return stop.message() == null ? current : stop.message();
            else if (answer != null) return (PublishVerdict) answer;
        }
        return current;
    }

    /** Null when no hook has an opinion. */
    public AccessVerdict authenticate(Credentials credentials) {
        return decide(Point.CLIENT_AUTHENTICATE, credentials);
    }

    /** Null when no hook has an opinion. */
    public AccessVerdict authorize(AccessRequest request) {
        return decide(Point.CLIENT_AUTHORIZE, request);
    }

    private AccessVerdict decide(Point point, Object event) {
        AccessVerdict soFar = null;
        for (Hook hook : of(point)) {
            AccessVerdict answer = (AccessVerdict) call(hook, event);
            if (answer instanceof AccessVerdict.Continue on) soFar = on.verdict();
            else if (answer != null) return answer;
        }
        return soFar;
    }

    /** Calls all hooks of a point that only tells. */
    public void tell(Point point, Object event) {
        for (Hook hook : of(point)) call(hook, event);
    }

    private List<Hook> of(Point point) {
        return hooks.stream().filter(hook -> hook.point() == point).toList();
    }

    private static Object call(Hook hook, Object event) {
        try {
            return hook.call(event);
        } catch (Throwable failed) {
            throw new IllegalStateException(hook.target() + " threw " + failed, failed);
        }
    }
}
