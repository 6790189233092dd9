// The interop peer on grpc-java and netty: reads commands as JSON lines and answers each with one line; see ../README.md.
import com.google.gson.Gson;
import com.google.gson.annotations.SerializedName;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

public final class Peer {
  static final int MESSAGE_BYTES_MAX = 64 << 20;
  static final ScheduledExecutorService CLOCK = Executors.newScheduledThreadPool(2);

  static final class Command {
    int id;
    @SerializedName("do") String what = "";
    String address = "";
    int server, channel, windowBytes, streamsMax, headerBytesMax, keepaliveMs, keepaliveTimeoutMs;
    String kind = "unary";
    String path = "";
    List<String[]> metadata = new ArrayList<>();
    int size, count, timeoutMs, cancelAfterMs, parallel, forMs;
    boolean gzip;
  }

  static final class Outcome {
    int id, server, port, channel, code, replies, faults;
    long cancelled;
    String error, message = "", details = "";
    List<String[]> headers = new ArrayList<>();
    List<String[]> trailers = new ArrayList<>();
    Map<String, Integer> codes = new TreeMap<>();
  }

  static final MethodDescriptor.Marshaller<byte[]> BYTES =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
          return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
          try {
            return stream.readAllBytes();
          } catch (IOException error) {
            throw new IllegalStateException(error);
          }
        }
      };

  static final Map<String, MethodType> KINDS =
      Map.of(
          "unary", MethodType.UNARY,
          "collect", MethodType.CLIENT_STREAMING,
          "repeat", MethodType.SERVER_STREAMING,
          "chat", MethodType.BIDI_STREAMING);

  static MethodDescriptor<byte[], byte[]> method(String kind, String path) {
    String own = "interop.Echo/" + Character.toUpperCase(kind.charAt(0)) + kind.substring(1);
    return MethodDescriptor.<byte[], byte[]>newBuilder(BYTES, BYTES)
        .setType(KINDS.get(kind))
        .setFullMethodName(path.isEmpty() ? own : path.substring(1))
        .build();
  }

  static byte[] pattern(int index, int size) {
    byte[] message = new byte[Math.max(size, 4)];
    Arrays.fill(message, (byte) index);
    ByteBuffer.wrap(message).putInt(index);
    return Arrays.copyOf(message, size);
  }

  static Metadata fromWire(List<String[]> pairs) {
    Metadata metadata = new Metadata();
    for (String[] one : pairs) {
      if (one[0].endsWith("-bin")) {
        Metadata.Key<byte[]> key = Metadata.Key.of(one[0], Metadata.BINARY_BYTE_MARSHALLER);
        metadata.put(key, Base64.getDecoder().decode(one[1]));
      } else {
        metadata.put(Metadata.Key.of(one[0], Metadata.ASCII_STRING_MARSHALLER), one[1]);
      }
    }
    return metadata;
  }

  static List<String[]> toWire(Metadata metadata) {
    List<String[]> pairs = new ArrayList<>();
    if (metadata == null) return pairs;
    for (String name : metadata.keys()) {
      if (name.endsWith("-bin")) {
        for (byte[] value : metadata.getAll(Metadata.Key.of(name, Metadata.BINARY_BYTE_MARSHALLER))) {
          pairs.add(new String[] {name, Base64.getEncoder().encodeToString(value)});
        }
      } else {
        for (String value : metadata.getAll(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER))) {
          pairs.add(new String[] {name, value});
        }
      }
    }
    return pairs;
  }

  static void copy(Metadata from, Metadata to, String prefix) {
    List<String[]> chosen = toWire(from);
    chosen.removeIf(one -> !one[0].startsWith(prefix));
    to.merge(fromWire(chosen));
  }

  static String text(Metadata metadata, String key) {
    return metadata.get(Metadata.Key.of(key, Metadata.ASCII_STRING_MARSHALLER));
  }

  static byte[] bytes(Metadata metadata, String key) {
    return metadata.get(Metadata.Key.of(key, Metadata.BINARY_BYTE_MARSHALLER));
  }

  static int number(Metadata metadata, String key, int otherwise) {
    String text = text(metadata, key);
    return text == null ? otherwise : Integer.parseInt(text);
  }

  // The echo service. Callbacks of one call come one at a time.

  static final AtomicLong CANCELLED = new AtomicLong();
  static final List<Runnable> AT_THE_GATE = new ArrayList<>();

  static void gate(int wanted, Runnable then) {
    List<Runnable> released;
    synchronized (AT_THE_GATE) {
      AT_THE_GATE.add(then);
      if (AT_THE_GATE.size() < wanted) return;
      released = new ArrayList<>(AT_THE_GATE);
      AT_THE_GATE.clear();
    }
    released.forEach(Runnable::run);
  }

  static final class Echo extends ServerCall.Listener<byte[]> {
    final String kind;
    final ServerCall<byte[], byte[]> call;
    final Metadata asked;
    final Metadata trailers = new Metadata();
    final int early;
    boolean waiting;
    boolean over;
    byte[] request = new byte[0];
    int count;
    int total;
    int sent;

    Echo(String kind, ServerCall<byte[], byte[]> call, Metadata asked) {
      this.kind = kind;
      this.call = call;
      this.asked = asked;
      this.early = number(asked, "x-early", -1);
      copy(asked, trailers, "trail-");
      if (kind.equals("chat")) begin();
      call.request(1);
    }

    void begin() {
      Metadata headers = new Metadata();
      copy(asked, headers, "echo-");
      if (text(asked, "x-show-timeout") != null && Context.current().getDeadline() != null) {
        long left = Context.current().getDeadline().timeRemaining(TimeUnit.MILLISECONDS);
        headers.put(Metadata.Key.of("seen-timeout-ms", Metadata.ASCII_STRING_MARSHALLER), "" + left);
      }
      if (text(asked, "x-gzip") != null) {
        call.setCompression("gzip");
        call.setMessageCompression(true);
      }
      boolean first = kind.equals("chat") || number(asked, "x-status", 0) == 0;
      if (first || !headers.keys().isEmpty()) call.sendHeaders(headers);
    }

    void end() {
      if (over) return;
      over = true;
      Status status = Status.fromCodeValue(number(asked, "x-status", 0));
      byte[] message = bytes(asked, "x-message-bin");
      if (message != null) status = status.withDescription(new String(message, StandardCharsets.UTF_8));
      byte[] details = bytes(asked, "x-details-bin");
      if (details != null) {
        trailers.put(Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER), details);
      }
      call.close(status, trailers);
    }

    void answer() {
      synchronized (this) {
        waiting = false;
        if (over) return;
        if (!kind.equals("chat")) begin();
        boolean fails = number(asked, "x-status", 0) != 0;
        if (kind.equals("collect")) request = (count + " " + total).getBytes(StandardCharsets.UTF_8);
        if (kind.equals("unary") && text(asked, "x-size") != null) request = pattern(0, number(asked, "x-size", 0));
        if (kind.equals("repeat")) {
          sendMore();
          return;
        }
        if (!fails) call.sendMessage(request);
        end();
      }
    }

    void sendMore() {
      int wanted = number(asked, "x-count", 1);
      while (sent < wanted && call.isReady()) {
        call.sendMessage(pattern(sent, number(asked, "x-size", 0)));
        sent += 1;
      }
      if (sent == wanted) end();
    }

    @Override
    public synchronized void onMessage(byte[] message) {
      if (over) return;
      request = message;
      count += 1;
      total += message.length;
      if (kind.equals("chat")) {
        call.sendMessage(message);
        if (count == early) {
          end();
          return;
        }
        if (!call.isReady()) return;
      }
      call.request(1);
    }

    @Override
    public synchronized void onReady() {
      if (kind.equals("repeat") && sent > 0 && !over) sendMore();
      if (kind.equals("chat") && count > 0 && !over) call.request(1);
    }

    @Override
    public void onHalfClose() {
      if (kind.equals("chat")) {
        synchronized (this) {
          end();
        }
        return;
      }
      waiting = true;
      Context context = Context.current();
      Runnable answer = context.wrap(this::answer);
      int wanted = number(asked, "x-gate", 0);
      int delay = number(asked, "x-delay-ms", 0);
      if (wanted > 0) gate(wanted, answer);
      else if (delay > 0) CLOCK.schedule(answer, delay, TimeUnit.MILLISECONDS);
      else answer.run();
    }

    @Override
    public synchronized void onCancel() {
      if (waiting) CANCELLED.incrementAndGet();
      over = true;
    }
  }

  static ServerServiceDefinition service() {
    ServerServiceDefinition.Builder service = ServerServiceDefinition.builder("interop.Echo");
    for (String kind : KINDS.keySet()) {
      ServerCallHandler<byte[], byte[]> handler = (call, headers) -> new Echo(kind, call, headers);
      service.addMethod(method(kind, ""), handler);
    }
    return service.build();
  }

  // The client.

  static final class Call extends ClientCall.Listener<byte[]> {
    final Command command;
    final Metadata metadata;
    final CompletableFuture<Outcome> done = new CompletableFuture<>();
    final Outcome outcome = new Outcome();
    ClientCall<byte[], byte[]> call;
    int sent;
    boolean closed;

    Call(Command command) {
      this.command = command;
      this.metadata = fromWire(command.metadata);
    }

    CompletableFuture<Outcome> start(ManagedChannel channel) {
      CallOptions options = CallOptions.DEFAULT;
      if (command.timeoutMs > 0) options = options.withDeadlineAfter(command.timeoutMs, TimeUnit.MILLISECONDS);
      if (command.gzip) options = options.withCompression("gzip");
      call = channel.newCall(method(command.kind, command.path), options);
      call.start(this, metadata);
      if (command.gzip) call.setMessageCompression(true);
      call.request(1);
      if (command.kind.equals("unary") || command.kind.equals("repeat")) {
        call.sendMessage(pattern(0, command.size));
        call.halfClose();
      } else {
        sendMore();
      }
      if (command.cancelAfterMs > 0) {
        CLOCK.schedule(() -> call.cancel("cancelled", null), command.cancelAfterMs, TimeUnit.MILLISECONDS);
      }
      return done;
    }

    synchronized void sendMore() {
      while (sent < command.count && call.isReady()) {
        call.sendMessage(pattern(sent, command.size));
        sent += 1;
      }
      if (sent == command.count && !closed) {
        closed = true;
        call.halfClose();
      }
    }

    @Override
    public void onReady() {
      if (command.kind.equals("collect") || command.kind.equals("chat")) sendMore();
    }

    @Override
    public void onHeaders(Metadata headers) {
      outcome.headers = toWire(headers);
    }

    @Override
    public void onMessage(byte[] reply) {
      byte[] expected = pattern(outcome.replies, number(metadata, "x-size", command.size));
      if (command.kind.equals("collect")) {
        expected = (command.count + " " + command.count * command.size).getBytes(StandardCharsets.UTF_8);
      }
      outcome.replies += 1;
      if (!Arrays.equals(reply, expected)) outcome.faults += 1;
      call.request(1);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      outcome.code = status.getCode().value();
      outcome.message = status.getDescription() == null ? "" : status.getDescription();
      outcome.trailers = toWire(trailers);
      for (String[] one : outcome.trailers) if (one[0].equals("grpc-status-details-bin")) outcome.details = one[1];
      done.complete(outcome);
    }
  }

  static final class Storm {
    final Command command;
    final ManagedChannel channel;
    final long untilNanos;
    final Outcome total = new Outcome();
    final CompletableFuture<Outcome> done = new CompletableFuture<>();
    int running;

    Storm(Command command, ManagedChannel channel) {
      this.command = command;
      this.channel = channel;
      this.running = Math.max(command.parallel, 1);
      this.untilNanos = System.nanoTime() + command.forMs * 1_000_000L;
    }

    CompletableFuture<Outcome> start() {
      for (int i = Math.max(command.parallel, 1); i > 0; i--) next();
      return done;
    }

    void next() {
      new Call(command).start(channel).thenAcceptAsync(this::add, CLOCK);
    }

    synchronized void add(Outcome one) {
      total.codes.merge("" + one.code, 1, Integer::sum);
      total.replies += one.replies;
      total.faults += one.faults;
      if (total.code == 0) {
        total.code = one.code;
        total.message = one.message;
        total.details = one.details;
        total.headers = one.headers;
        total.trailers = one.trailers;
      }
      if (System.nanoTime() < untilNanos) next();
      else if (--running == 0) done.complete(total);
    }
  }

  // The commands.

  final List<Server> servers = new ArrayList<>();
  final List<ManagedChannel> channels = new ArrayList<>();

  Outcome serve(Command command) throws IOException {
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0)).addService(service());
    builder.maxInboundMessageSize(MESSAGE_BYTES_MAX);
    if (command.windowBytes > 0) builder.flowControlWindow(command.windowBytes);
    if (command.streamsMax > 0) builder.maxConcurrentCallsPerConnection(command.streamsMax);
    if (command.headerBytesMax > 0) builder.maxInboundMetadataSize(command.headerBytesMax);
    if (command.keepaliveMs > 0) {
      builder.keepAliveTime(command.keepaliveMs, TimeUnit.MILLISECONDS);
      builder.keepAliveTimeout(command.keepaliveTimeoutMs, TimeUnit.MILLISECONDS);
    }
    Outcome outcome = new Outcome();
    synchronized (servers) {
      servers.add(builder.build().start());
      outcome.server = servers.size() - 1;
      outcome.port = servers.get(outcome.server).getPort();
    }
    return outcome;
  }

  Outcome dial(Command command) {
    NettyChannelBuilder builder = NettyChannelBuilder.forTarget("dns:///" + command.address).usePlaintext();
    builder.maxInboundMessageSize(MESSAGE_BYTES_MAX);
    if (command.windowBytes > 0) builder.flowControlWindow(command.windowBytes);
    if (command.headerBytesMax > 0) builder.maxInboundMetadataSize(command.headerBytesMax);
    if (command.keepaliveMs > 0) {
      builder.keepAliveTime(command.keepaliveMs, TimeUnit.MILLISECONDS).keepAliveWithoutCalls(true);
      builder.keepAliveTimeout(command.keepaliveTimeoutMs, TimeUnit.MILLISECONDS);
    }
    Outcome outcome = new Outcome();
    synchronized (channels) {
      channels.add(builder.build());
      outcome.channel = channels.size() - 1;
    }
    return outcome;
  }

  Outcome run(Command command) throws Exception {
    switch (command.what) {
      case "serve":
        return serve(command);
      case "stop":
        servers.get(command.server).shutdown().awaitTermination();
        return new Outcome();
      case "dial":
        return dial(command);
      case "hangup":
        channels.get(command.channel).shutdownNow();
        return new Outcome();
      case "call":
        return new Storm(command, channels.get(command.channel)).start().get();
      case "cancelled":
        Outcome outcome = new Outcome();
        outcome.cancelled = CANCELLED.get();
        return outcome;
      default:
        throw new IllegalArgumentException("no command " + command.what);
    }
  }

  public static void main(String[] args) throws IOException {
    Peer peer = new Peer();
    Gson gson = new Gson();
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    java.util.concurrent.ExecutorService pool = Executors.newCachedThreadPool();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      Command command = gson.fromJson(line, Command.class);
      pool.execute(
          () -> {
            Outcome outcome = new Outcome();
            try {
              outcome = peer.run(command);
            } catch (Exception error) {
              outcome.error = error.toString();
            }
            outcome.id = command.id;
            byte[] text = (gson.toJson(outcome) + "\n").getBytes(StandardCharsets.UTF_8);
            synchronized (System.out) {
              System.out.write(text, 0, text.length);
              System.out.flush();
            }
          });
    }
    System.exit(0);
  }
}
