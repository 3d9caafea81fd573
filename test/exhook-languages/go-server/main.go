// A gRPC server that never answers and, as servers in Go do unless they are told otherwise, cuts off clients that ping it too often or without
// any call under way. Go's interval is five minutes; here it is given in milliseconds.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

func main() {
	interval := flag.Int("interval", 250, "milliseconds between pings, at least")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Duration(*interval) * time.Millisecond}),
		grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
			fmt.Println("asked")
			<-stream.Context().Done()
			return stream.Context().Err()
		}),
	)
	fmt.Printf("listening on %s\n", listener.Addr())
	log.Fatal(server.Serve(listener))
}
