using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Serialization;
using Sketch.Server.Rest;

namespace Sketch.Server.Commands.Bench;

/// <summary>How long single calls take, one after the other on one connection, at rest and beside a load.</summary>
internal sealed class LatencyBench(ServedNode node, int seconds, double loadPerSecond, Action<string> say)
{
    private const string Approximate = "latency";
    private const string Strong = "latency-strong";

    /// <summary>Runs it.</summary>
    public async Task<LatencyReport> RunAsync(CancellationToken cancellationToken)
    {
        using NodeClient rest = new(node.Http);
        foreach ((string @namespace, string tier) in ((string, string)[])[(Approximate, "approximate"), (Strong, "strong"), (NodeBenchOptions.Namespace, "approximate")])
        {
            await rest.SendAsync(
                HttpMethod.Put, NodeClient.Namespace(@namespace), new NamespaceBody(tier, null, null, null),
                BodiesJson.Default.NamespaceBody, AnswersJson.Readable.NamespaceAnswer, cancellationToken).ConfigureAwait(false);
        }

        await MeasureAsync(1, cancellationToken).ConfigureAwait(false); // warm
        say($"single calls for {seconds} s each, at rest");
        LatencyFigures[] atRest = await MeasureAsync(seconds, cancellationToken).ConfigureAwait(false);
        if (loadPerSecond <= 0)
            return new LatencyReport(atRest, 0, []);
        say($"the same beside {loadPerSecond / 1e6:0.0} million increments a second");
        using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task load = LoadAsync(enough.Token);
        await Task.Delay(TimeSpan.FromSeconds(3), cancellationToken).ConfigureAwait(false);
        LatencyFigures[] underLoad = await MeasureAsync(seconds, cancellationToken).ConfigureAwait(false);
        await enough.CancelAsync().ConfigureAwait(false);
        await load.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return new LatencyReport(atRest, loadPerSecond, underLoad);
    }

    private async Task<LatencyFigures[]> MeasureAsync(int duration, CancellationToken cancellationToken) =>
    [
        await CallAsync("increment, approximate", Post(Approximate), duration, cancellationToken).ConfigureAwait(false),
        await CallAsync("increment, strong", Post(Strong), duration, cancellationToken).ConfigureAwait(false),
        await CallAsync("read", $"GET /v1/namespaces/{Approximate}/counters/one HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", duration, cancellationToken).ConfigureAwait(false),
    ];

    private static string Post(string @namespace)
    {
        const string Body = """{"increments":[{"name":"one","delta":1}]}""";
        return $"POST /v1/namespaces/{@namespace}/increments HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {Body.Length}\r\n\r\n{Body}";
    }

    private Task<LatencyFigures> CallAsync(string what, string request, int duration, CancellationToken cancellationToken) => Task.Factory.StartNew(
        () =>
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Connect(node.Http.Host, node.Http.Port);
            byte[] call = Encoding.ASCII.GetBytes(request);
            byte[] answer = new byte[16 << 10];
            List<double> micros = new(duration * 50_000);
            Stopwatch watch = Stopwatch.StartNew();
            while (watch.Elapsed.TotalSeconds < duration)
            {
                cancellationToken.ThrowIfCancellationRequested();
                long began = Stopwatch.GetTimestamp();
                socket.Send(call);
                int length = 0;
                int status;
                do
                {
                    int received = socket.Receive(answer.AsSpan(length));
                    if (received == 0)
                        throw new CommandException("the node closed the connection");
                    length += received;
                }
                while (!HttpAnswer.TryParse(answer.AsSpan(0, length), out status));
                micros.Add(Stopwatch.GetElapsedTime(began).TotalMicroseconds);
                if (status != 200)
                    throw new CommandException($"the node answered {Encoding.UTF8.GetString(answer, 0, length)}");
            }

            micros.Sort();
            return new LatencyFigures(what, micros.Count / (double)duration, At(micros, 0.5), At(micros, 0.99), At(micros, 0.999));
        },
        cancellationToken,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    private static double At(List<double> sorted, double share) => Math.Round(sorted[(int)(share * (sorted.Count - 1))], 1);

    // Batches of a thousand at a steady pace, on a few counters that are named with every batch.
    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        const int Batch = 1_000;
        BenchStream stream = new(NodeBenchOptions.Namespace, 100_000, isZipf: true, seed: 1);
        using BatchConnection connection = await BatchConnection.OpenAsync(node.Http, NodeBenchOptions.Namespace, "load", cancellationToken).ConfigureAwait(false);
        for (int from = 0; from < stream.Counters; from += 5_000)
        {
            byte[][] names = [.. Enumerable.Range(from, 5_000).Select(BenchStream.NameUtf8)];
            await connection.SendAsync(stream.Ids(from, 5_000), 0, default, names, cancellationToken).ConfigureAwait(false);
        }

        Stopwatch watch = Stopwatch.StartNew();
        for (long part = 0; !cancellationToken.IsCancellationRequested; part++)
        {
            double ahead = (part * Batch / loadPerSecond) - watch.Elapsed.TotalSeconds;
            if (ahead > 0.002)
                await Task.Delay(TimeSpan.FromSeconds(ahead), cancellationToken).ConfigureAwait(false);
            await connection.SendAsync(stream.Part(part, Batch), 0, default, [], cancellationToken).ConfigureAwait(false);
        }
    }
}

/// <summary>Latencies of one kind of call, in microseconds.</summary>
internal sealed record LatencyFigures(string Call, double PerSecond, double P50, double P99, double P999)
{
    /// <summary>For people.</summary>
    public string ToText() => string.Create(
        CultureInfo.InvariantCulture, $"  {Call,-24} p50 {P50 / 1000:0.000} ms   p99 {P99 / 1000:0.000} ms   p99.9 {P999 / 1000:0.000} ms   {PerSecond:N0} a second");
}

/// <summary>What a measurement of latencies gave.</summary>
/// <param name="AtRest">With nothing else going on.</param>
/// <param name="LoadPerSecond">Increments a second meanwhile, for the second set.</param>
/// <param name="UnderLoad">Beside that load.</param>
internal sealed record LatencyReport(IReadOnlyList<LatencyFigures> AtRest, double LoadPerSecond, IReadOnlyList<LatencyFigures> UnderLoad)
{
    /// <summary>For people.</summary>
    public string ToText()
    {
        string text = "at rest:\n" + string.Join('\n', AtRest.Select(f => f.ToText()));
        return UnderLoad.Count == 0
            ? text
            : string.Create(CultureInfo.InvariantCulture, $"{text}\nbeside {LoadPerSecond / 1e6:0.0} million increments a second:\n{string.Join('\n', UnderLoad.Select(f => f.ToText()))}");
    }
}

/// <summary>The JSON of latencies.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(LatencyReport))]
internal sealed partial class LatencyJson : JsonSerializerContext;
