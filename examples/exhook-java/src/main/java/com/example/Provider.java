package com.example;

import com.google.protobuf.ByteString;
import io.emqx.exhook.ClientAuthenticateRequest;
import io.emqx.exhook.ClientConnectedRequest;
import io.emqx.exhook.EmptySuccess;
import io.emqx.exhook.HookProviderGrpc;
import io.emqx.exhook.HookSpec;
import io.emqx.exhook.LoadedResponse;
import io.emqx.exhook.MessagePublishRequest;
import io.emqx.exhook.ProviderLoadedRequest;
import io.emqx.exhook.ProviderUnloadedRequest;
import io.emqx.exhook.ValuedResponse;
import io.emqx.exhook.ValuedResponse.ResponsedType;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;

/** An ExHook provider with grpc-java alone: keeps strangers out, and stamps what is published below t/. */
public final class Provider extends HookProviderGrpc.HookProviderImplBase {
  @Override
  public void onProviderLoaded(ProviderLoadedRequest request, StreamObserver<LoadedResponse> reply) {
    System.out.println("loaded by " + request.getBroker().getSysdescr() + " " + request.getBroker().getVersion());
    answer(reply, LoadedResponse.newBuilder()
        .addHooks(HookSpec.newBuilder().setName("client.authenticate"))
        .addHooks(HookSpec.newBuilder().setName("client.connected"))
        .addHooks(HookSpec.newBuilder().setName("message.publish").addTopics("t/#"))
        .build());
  }

  @Override
  public void onProviderUnloaded(ProviderUnloadedRequest request, StreamObserver<EmptySuccess> reply) {
    answer(reply, EmptySuccess.getDefaultInstance());
  }

  @Override
  public void onClientAuthenticate(ClientAuthenticateRequest request, StreamObserver<ValuedResponse> reply) {
    ValuedResponse.Builder response = ValuedResponse.newBuilder();
    if (request.getClientinfo().getUsername().equals("stranger")) {
      response.setType(ResponsedType.STOP_AND_RETURN).setBoolResult(false);
    } else {
      response.setType(ResponsedType.IGNORE); // left to others
    }
    answer(reply, response.build());
  }

  @Override
  public void onClientConnected(ClientConnectedRequest request, StreamObserver<EmptySuccess> reply) {
    System.out.println("connected: " + request.getClientinfo().getClientid());
    answer(reply, EmptySuccess.getDefaultInstance());
  }

  @Override
  public void onMessagePublish(MessagePublishRequest request, StreamObserver<ValuedResponse> reply) {
    ByteString payload = request.getMessage().getPayload().concat(ByteString.copyFromUtf8(" (seen by Java)"));
    answer(reply, ValuedResponse.newBuilder()
        .setType(ResponsedType.CONTINUE)
        .setMessage(request.getMessage().toBuilder().setPayload(payload)) // QoS and topic must come back as well
        .build());
  }

  private static <T> void answer(StreamObserver<T> reply, T value) {
    reply.onNext(value);
    reply.onCompleted();
  }

  public static void main(String[] arguments) throws Exception {
    String[] address = (arguments.length > 0 ? arguments[0] : "127.0.0.1:9000").split(":");
    Server server = NettyServerBuilder.forAddress(new InetSocketAddress(address[0], Integer.parseInt(address[1])))
        .permitKeepAliveTime(10, TimeUnit.SECONDS) // brokers ping idle connections
        .permitKeepAliveWithoutCalls(true)
        .addService(new Provider())
        .build()
        .start();
    Runtime.getRuntime().addShutdownHook(new Thread(server::shutdown));
    System.out.println("listening on " + address[0] + ":" + server.getPort());
    server.awaitTermination();
  }
}
