import static org.junit.jupiter.api.Assertions.assertEquals;

import io.hookmq.AccessRequest;
import io.hookmq.AccessVerdict;
import io.hookmq.ClientInfo;
import io.hookmq.Message;
import io.hookmq.PublishVerdict;
import io.hookmq.testing.HookTester;
import org.junit.jupiter.api.Test;

class MyHooksTest {
    private final HookTester hooks = HookTester.of(new MyHooks());

    @Test
    void ordersSayWhereTheyComeFrom() {
        Message order = (Message) hooks.publish(Message.of("orders/1", "two apples"));
        assertEquals("two apples (from test)", order.text());
    }

    @Test
    void longOrdersAreRejected() {
        PublishVerdict verdict = hooks.publish(Message.of("orders/1", "x".repeat(2000)));
        assertEquals(PublishVerdict.reject(0x97, "at most 1024 bytes, please"), verdict);
    }

    @Test
    void otherTopicsAreLeftAlone() {
        Message message = Message.of("weather", "x".repeat(2000));
        assertEquals(message, hooks.publish(message));
    }

    @Test
    void secretsAreGuarded() {
        ClientInfo client = ClientInfo.of("c", "ann");
        AccessRequest request = new AccessRequest(client, AccessRequest.Action.SUBSCRIBE, "secret/plan", 0, false, true);
        assertEquals(AccessVerdict.deny(), hooks.authorize(request));
    }
}
