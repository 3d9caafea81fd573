import io.hookmq.AccessRequest;
import io.hookmq.ClientInfo;
import io.hookmq.Disconnected;
import io.hookmq.Message;
import io.hookmq.OnClientAuthorize;
import io.hookmq.OnClientConnected;
import io.hookmq.OnClientDisconnected;
import io.hookmq.OnMessagePublish;
import io.hookmq.PublishVerdict;

/** The hooks of my-plugin. Events of different clients come at the same time, in different threads. */
public class MyHooks {
    private static final int MOST_BYTES = 1024;

    @OnClientConnected
    void hello(ClientInfo client) {
        System.out.println(client.clientId() + " is here, from " + client.peerHost());
    }

    @OnClientDisconnected
    void goodbye(Disconnected event) {
        System.out.println(event.client().clientId() + " has gone: " + event.reason());
    }

    /** Orders are small, and say where they come from. */
    @OnMessagePublish(topics = "orders/#")
    PublishVerdict check(Message order) {
        if (order.payload().length > MOST_BYTES) return PublishVerdict.reject(0x97, "at most " + MOST_BYTES + " bytes, please");
        return order.withPayload(order.text() + " (from " + order.from() + ")");
    }

    /** Only superusers see what is below secret/. */
    @OnClientAuthorize
    boolean guard(AccessRequest request) {
        return !request.topic().startsWith("secret/");
    }
}
