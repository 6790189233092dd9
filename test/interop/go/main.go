// The interop peer on grpc-go: reads commands as JSON lines from its input and answers each with one line. What the
// commands and the echo service do is said in ../README.md, alike for all languages.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

const messageBytesMax = 64 << 20

// Messages are bytes on both sides; the name is what grpc-go puts into content-type.
type rawCodec struct{}

func (rawCodec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (rawCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte{}, data...)
	return nil
}
func (rawCodec) Name() string { return "proto" }

type pair [2]string

type command struct {
	ID                 int    `json:"id"`
	Do                 string `json:"do"`
	Address            string `json:"address"`
	Server             int    `json:"server"`
	Channel            int    `json:"channel"`
	WindowBytes        int32  `json:"windowBytes"`
	StreamsMax         uint32 `json:"streamsMax"`
	HeaderBytesMax     uint32 `json:"headerBytesMax"`
	KeepaliveMs        int    `json:"keepaliveMs"`
	KeepaliveTimeoutMs int    `json:"keepaliveTimeoutMs"`
	Kind               string `json:"kind"`
	Path               string `json:"path"`
	Metadata           []pair `json:"metadata"`
	Size               int    `json:"size"`
	Count              int    `json:"count"`
	TimeoutMs          int    `json:"timeoutMs"`
	CancelAfterMs      int    `json:"cancelAfterMs"`
	Gzip               bool   `json:"gzip"`
	Parallel           int    `json:"parallel"`
	ForMs              int    `json:"forMs"`
}

type outcome struct {
	ID       int            `json:"id"`
	Error    string         `json:"error,omitempty"`
	Server   int            `json:"server"`
	Port     int            `json:"port"`
	Channel  int            `json:"channel"`
	Canceled int64          `json:"cancelled"`
	Code     int            `json:"code"`
	Message  string         `json:"message"`
	Details  string         `json:"details"`
	Headers  []pair         `json:"headers"`
	Trailers []pair         `json:"trailers"`
	Replies  int            `json:"replies"`
	Faults   int            `json:"faults"`
	Codes    map[string]int `json:"codes"`
}

func pattern(index, size int) []byte {
	message := bytes.Repeat([]byte{byte(index)}, size)
	var head [4]byte
	binary.BigEndian.PutUint32(head[:], uint32(index))
	copy(message, head[:])
	return message
}

var cancelled atomic.Int64

type gate struct {
	mu      sync.Mutex
	waiting int
	open    chan struct{}
}

func (g *gate) wait(ctx context.Context, wanted int) error {
	g.mu.Lock()
	if g.open == nil {
		g.open = make(chan struct{})
	}
	open := g.open
	g.waiting++
	if g.waiting == wanted {
		close(open)
		g.waiting, g.open = 0, nil
	}
	g.mu.Unlock()
	select {
	case <-open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var theGate gate

func first(md metadata.MD, key string) (string, bool) {
	values := md.Get(key)
	if len(values) == 0 {
		return "", false
	}
	return values[0], true
}

func number(md metadata.MD, key string, otherwise int) int {
	if text, ok := first(md, key); ok {
		if value, err := strconv.Atoi(text); err == nil {
			return value
		}
	}
	return otherwise
}

// What comes before the answer, for all kinds: metadata, the wait, the gate.
func begin(stream grpc.ServerStream) (metadata.MD, error) {
	ctx := stream.Context()
	md, _ := metadata.FromIncomingContext(ctx)
	headers, trailers := metadata.MD{}, metadata.MD{}
	for key, values := range md {
		if strings.HasPrefix(key, "echo-") {
			headers[key] = values
		} else if strings.HasPrefix(key, "trail-") {
			trailers[key] = values
		}
	}
	if _, ok := first(md, "x-show-timeout"); ok {
		if deadline, ok := ctx.Deadline(); ok {
			headers.Set("seen-timeout-ms", strconv.FormatInt(time.Until(deadline).Milliseconds(), 10))
		}
	}
	if _, ok := first(md, "x-gzip"); ok {
		if err := grpc.SetSendCompressor(ctx, "gzip"); err != nil {
			return md, err
		}
	}
	if len(headers) > 0 {
		if err := stream.SetHeader(headers); err != nil {
			return md, err
		}
	}
	stream.SetTrailer(trailers)
	if delay := number(md, "x-delay-ms", 0); delay > 0 {
		select {
		case <-time.After(time.Duration(delay) * time.Millisecond):
		case <-ctx.Done():
			cancelled.Add(1)
			return md, ctx.Err()
		}
	}
	if wanted := number(md, "x-gate", 0); wanted > 0 {
		if err := theGate.wait(ctx, wanted); err != nil {
			return md, err
		}
	}
	return md, nil
}

// The status that the caller asked for.
func end(md metadata.MD) error {
	code := number(md, "x-status", 0)
	if code == 0 {
		return nil
	}
	message, _ := first(md, "x-message-bin")
	if details, ok := first(md, "x-details-bin"); ok {
		full := &spb.Status{}
		if err := proto.Unmarshal([]byte(details), full); err != nil {
			return err
		}
		return status.FromProto(full).Err()
	}
	return status.Error(codes.Code(code), message)
}

func serveUnary(_ any, stream grpc.ServerStream) error {
	var request []byte
	if err := stream.RecvMsg(&request); err != nil {
		return err
	}
	md, err := begin(stream)
	if err != nil {
		return err
	}
	if err := end(md); err != nil {
		return err
	}
	if size := number(md, "x-size", -1); size >= 0 {
		request = pattern(0, size)
	}
	return stream.SendMsg(&request)
}

func serveCollect(_ any, stream grpc.ServerStream) error {
	md, err := begin(stream)
	if err != nil {
		return err
	}
	count, total := 0, 0
	for {
		var request []byte
		err := stream.RecvMsg(&request)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		count++
		total += len(request)
	}
	if err := end(md); err != nil {
		return err
	}
	reply := []byte(fmt.Sprintf("%d %d", count, total))
	return stream.SendMsg(&reply)
}

func serveRepeat(_ any, stream grpc.ServerStream) error {
	var request []byte
	if err := stream.RecvMsg(&request); err != nil {
		return err
	}
	md, err := begin(stream)
	if err != nil {
		return err
	}
	for i := 0; i < number(md, "x-count", 1); i++ {
		reply := pattern(i, number(md, "x-size", 0))
		if err := stream.SendMsg(&reply); err != nil {
			return err
		}
	}
	return end(md)
}

func serveChat(_ any, stream grpc.ServerStream) error {
	md, err := begin(stream)
	if err != nil {
		return err
	}
	early := number(md, "x-early", -1)
	for i := 0; i != early; i++ {
		var request []byte
		err := stream.RecvMsg(&request)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := stream.SendMsg(&request); err != nil {
			return err
		}
	}
	return end(md)
}

var service = grpc.ServiceDesc{
	ServiceName: "interop.Echo",
	HandlerType: (*any)(nil),
	Streams: []grpc.StreamDesc{
		{StreamName: "Unary", Handler: serveUnary},
		{StreamName: "Collect", Handler: serveCollect, ClientStreams: true},
		{StreamName: "Repeat", Handler: serveRepeat, ServerStreams: true},
		{StreamName: "Chat", Handler: serveChat, ServerStreams: true, ClientStreams: true},
	},
}

var paths = map[string]string{
	"unary":   "/interop.Echo/Unary",
	"collect": "/interop.Echo/Collect",
	"repeat":  "/interop.Echo/Repeat",
	"chat":    "/interop.Echo/Chat",
}

var kinds = map[string]*grpc.StreamDesc{
	"collect": {ClientStreams: true},
	"repeat":  {ServerStreams: true},
	"chat":    {ClientStreams: true, ServerStreams: true},
}

func fromWire(pairs []pair) metadata.MD {
	md := metadata.MD{}
	for _, one := range pairs {
		value := one[1]
		if strings.HasSuffix(one[0], "-bin") {
			decoded, _ := base64.StdEncoding.DecodeString(value)
			value = string(decoded)
		}
		md.Append(one[0], value)
	}
	return md
}

func toWire(md metadata.MD) []pair {
	pairs := []pair{}
	for key, values := range md {
		for _, value := range values {
			if strings.HasSuffix(key, "-bin") {
				value = base64.StdEncoding.EncodeToString([]byte(value))
			}
			pairs = append(pairs, pair{key, value})
		}
	}
	return pairs
}

func call(conn *grpc.ClientConn, c *command) outcome {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	md := fromWire(c.Metadata)
	ctx = metadata.NewOutgoingContext(ctx, md)
	if c.TimeoutMs > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, time.Duration(c.TimeoutMs)*time.Millisecond)
		defer stop()
	}
	if c.CancelAfterMs > 0 {
		time.AfterFunc(time.Duration(c.CancelAfterMs)*time.Millisecond, cancel)
	}
	path := c.Path
	if path == "" {
		path = paths[c.Kind]
	}
	var headers, trailers metadata.MD
	options := []grpc.CallOption{grpc.ForceCodec(rawCodec{}), grpc.Header(&headers), grpc.Trailer(&trailers)}
	if c.Gzip {
		options = append(options, grpc.UseCompressor("gzip"))
	}
	var result outcome
	var err error
	if c.Kind == "unary" {
		request := pattern(0, c.Size)
		expected := request
		if size := number(md, "x-size", -1); size >= 0 {
			expected = pattern(0, size)
		}
		var reply []byte
		if err = conn.Invoke(ctx, path, &request, &reply, options...); err == nil {
			result.Replies = 1
			if !bytes.Equal(reply, expected) {
				result.Faults++
			}
		}
	} else {
		err = callStream(ctx, conn, c, md, path, options, &result)
	}
	full := status.Convert(err)
	result.Code, result.Message = int(full.Code()), full.Message()
	if len(full.Details()) > 0 {
		encoded, _ := proto.Marshal(full.Proto())
		result.Details = base64.StdEncoding.EncodeToString(encoded)
	}
	result.Headers, result.Trailers = toWire(headers), toWire(trailers)
	return result
}

func callStream(ctx context.Context, conn *grpc.ClientConn, c *command, md metadata.MD, path string, options []grpc.CallOption, result *outcome) error {
	stream, err := conn.NewStream(ctx, kinds[c.Kind], path, options...)
	if err != nil {
		return err
	}
	go func() {
		count := c.Count
		if c.Kind == "repeat" {
			count = 1
		}
		for i := 0; i < count; i++ {
			request := pattern(i, c.Size)
			if stream.SendMsg(&request) != nil {
				return
			}
		}
		_ = stream.CloseSend()
	}()
	for {
		var reply []byte
		err := stream.RecvMsg(&reply)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		expected := []byte(fmt.Sprintf("%d %d", c.Count, c.Count*c.Size))
		if c.Kind == "chat" {
			expected = pattern(result.Replies, c.Size)
		} else if c.Kind == "repeat" {
			expected = pattern(result.Replies, number(md, "x-size", 0))
		}
		if !bytes.Equal(reply, expected) {
			result.Faults++
		}
		result.Replies++
		if c.Kind == "collect" {
			// One reply is all that this kind has; grpc-go tells the status with it.
			return nil
		}
	}
}

func callMany(conn *grpc.ClientConn, c *command) outcome {
	until := time.Now().Add(time.Duration(c.ForMs) * time.Millisecond)
	parallel := c.Parallel
	if parallel < 1 {
		parallel = 1
	}
	outcomes := make([]outcome, parallel)
	var wait sync.WaitGroup
	for i := range outcomes {
		outcomes[i].Codes = map[string]int{}
		wait.Add(1)
		go func(mine *outcome) {
			defer wait.Done()
			for {
				one := call(conn, c)
				one.Faults += mine.Faults
				one.Replies += mine.Replies
				one.Codes = mine.Codes
				one.Codes[strconv.Itoa(one.Code)]++
				if mine.Code != 0 {
					one.Code, one.Message = mine.Code, mine.Message
				}
				*mine = one
				if !time.Now().Before(until) {
					return
				}
			}
		}(&outcomes[i])
	}
	wait.Wait()
	total := outcomes[0]
	for _, one := range outcomes[1:] {
		total.Faults += one.Faults
		total.Replies += one.Replies
		if total.Code == 0 {
			total.Code, total.Message = one.Code, one.Message
		}
		for code, count := range one.Codes {
			total.Codes[code] += count
		}
	}
	return total
}

type peer struct {
	mu       sync.Mutex
	servers  []*grpc.Server
	channels []*grpc.ClientConn
}

func (p *peer) serve(c *command) (outcome, error) {
	options := []grpc.ServerOption{
		grpc.ForceServerCodec(rawCodec{}),
		grpc.MaxRecvMsgSize(messageBytesMax),
	}
	if c.WindowBytes > 0 {
		options = append(options, grpc.InitialWindowSize(c.WindowBytes), grpc.InitialConnWindowSize(c.WindowBytes))
	}
	if c.StreamsMax > 0 {
		options = append(options, grpc.MaxConcurrentStreams(c.StreamsMax))
	}
	if c.HeaderBytesMax > 0 {
		options = append(options, grpc.MaxHeaderListSize(c.HeaderBytesMax))
	}
	if c.KeepaliveMs > 0 {
		options = append(options, grpc.KeepaliveParams(keepalive.ServerParameters{
			Time:    time.Duration(c.KeepaliveMs) * time.Millisecond,
			Timeout: time.Duration(c.KeepaliveTimeoutMs) * time.Millisecond,
		}))
	}
	server := grpc.NewServer(options...)
	server.RegisterService(&service, nil)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return outcome{}, err
	}
	go func() { _ = server.Serve(listener) }()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.servers = append(p.servers, server)
	return outcome{Server: len(p.servers) - 1, Port: listener.Addr().(*net.TCPAddr).Port}, nil
}

func (p *peer) dial(c *command) (outcome, error) {
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(messageBytesMax)),
	}
	if c.WindowBytes > 0 {
		options = append(options, grpc.WithInitialWindowSize(c.WindowBytes), grpc.WithInitialConnWindowSize(c.WindowBytes))
	}
	if c.HeaderBytesMax > 0 {
		options = append(options, grpc.WithMaxHeaderListSize(c.HeaderBytesMax))
	}
	if c.KeepaliveMs > 0 {
		options = append(options, grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time:                time.Duration(c.KeepaliveMs) * time.Millisecond,
			Timeout:             time.Duration(c.KeepaliveTimeoutMs) * time.Millisecond,
			PermitWithoutStream: true,
		}))
	}
	conn, err := grpc.NewClient("passthrough:///"+c.Address, options...)
	if err != nil {
		return outcome{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.channels = append(p.channels, conn)
	return outcome{Channel: len(p.channels) - 1}, nil
}

func (p *peer) run(c *command) (outcome, error) {
	switch c.Do {
	case "serve":
		return p.serve(c)
	case "stop":
		p.mu.Lock()
		server := p.servers[c.Server]
		p.mu.Unlock()
		server.GracefulStop()
		return outcome{}, nil
	case "dial":
		return p.dial(c)
	case "hangup":
		p.mu.Lock()
		channel := p.channels[c.Channel]
		p.mu.Unlock()
		return outcome{}, channel.Close()
	case "call":
		p.mu.Lock()
		channel := p.channels[c.Channel]
		p.mu.Unlock()
		return callMany(channel, c), nil
	case "cancelled":
		return outcome{Canceled: cancelled.Load()}, nil
	}
	return outcome{}, fmt.Errorf("no command %q", c.Do)
}

func main() {
	var mu sync.Mutex
	p := &peer{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		c := &command{}
		if err := json.Unmarshal(lines.Bytes(), c); err != nil {
			panic(err)
		}
		go func() {
			result, err := p.run(c)
			if err != nil {
				result.Error = err.Error()
			}
			result.ID = c.ID
			line, _ := json.Marshal(result)
			mu.Lock()
			defer mu.Unlock()
			_, _ = os.Stdout.Write(append(line, '\n'))
		}()
	}
}
