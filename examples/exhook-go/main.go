// An ExHook provider with grpc-go alone: counts clients, keeps strangers out, and stamps what is published below t/.
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	pb "example.com/exhook-go/exhook"
)

type provider struct {
	// Answers the calls that are not written here. They never come: OnProviderLoaded does not ask for them.
	pb.UnimplementedHookProviderServer
}

func (provider) OnProviderLoaded(_ context.Context, request *pb.ProviderLoadedRequest) (*pb.LoadedResponse, error) {
	log.Printf("loaded by %s %s", request.Broker.Sysdescr, request.Broker.Version)
	return &pb.LoadedResponse{Hooks: []*pb.HookSpec{
		{Name: "client.authenticate"},
		{Name: "client.connected"},
		{Name: "message.publish", Topics: []string{"t/#"}},
	}}, nil
}

func (provider) OnProviderUnloaded(context.Context, *pb.ProviderUnloadedRequest) (*pb.EmptySuccess, error) {
	return &pb.EmptySuccess{}, nil
}

func (provider) OnClientAuthenticate(_ context.Context, request *pb.ClientAuthenticateRequest) (*pb.ValuedResponse, error) {
	if request.Clientinfo.Username == "stranger" {
		return &pb.ValuedResponse{
			Type:  pb.ValuedResponse_STOP_AND_RETURN,
			Value: &pb.ValuedResponse_BoolResult{BoolResult: false},
		}, nil
	}
	return &pb.ValuedResponse{Type: pb.ValuedResponse_IGNORE}, nil // left to others
}

func (provider) OnClientConnected(_ context.Context, request *pb.ClientConnectedRequest) (*pb.EmptySuccess, error) {
	log.Printf("connected: %s", request.Clientinfo.Clientid)
	return &pb.EmptySuccess{}, nil
}

func (provider) OnMessagePublish(_ context.Context, request *pb.MessagePublishRequest) (*pb.ValuedResponse, error) {
	message := request.Message // changed in place: QoS and topic must come back as well
	message.Payload = append(message.Payload, " (seen by Go)"...)
	return &pb.ValuedResponse{
		Type:  pb.ValuedResponse_CONTINUE,
		Value: &pb.ValuedResponse_Message{Message: message},
	}, nil
}

func main() {
	address := flag.String("listen", "127.0.0.1:9000", "HOST:PORT")
	flag.Parse()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	// Brokers ping idle connections; without this policy grpc-go hangs up on them.
	pings := grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true})
	server := grpc.NewServer(pings)
	pb.RegisterHookProviderServer(server, provider{})
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() { <-stop; server.GracefulStop() }()
	log.Printf("listening on %s", listener.Addr())
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
}
