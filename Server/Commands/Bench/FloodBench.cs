using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Serialization;
using Sketch.Engine.Catalogue;
using Sketch.Server.Rest;

namespace Sketch.Server.Commands.Bench;

/// <summary>Random new names, more than a namespace may hold, thrown at a node while a neighbour counts: what it costs the node and the neighbour.</summary>
internal sealed class FloodBench(ServedNode node, long names, Action<string> say)
{
    private const string Flooded = "flooded";
    private const string Neighbour = "neighbour";
    private const int Quota = 100_000;
    private const int Batch = 5_000;
    private const int NeighbourCounters = 1_000;

    /// <summary>Runs it.</summary>
    public async Task<FloodReport> RunAsync(CancellationToken cancellationToken)
    {
        using NodeClient rest = new(node.Http);
        foreach ((string @namespace, int? most) in ((string, int?)[])[(Flooded, Quota), (Neighbour, null)])
        {
            await rest.SendAsync(
                HttpMethod.Put, NodeClient.Namespace(@namespace), new NamespaceBody("approximate", null, null, most),
                BodiesJson.Default.NamespaceBody, AnswersJson.Readable.NamespaceAnswer, cancellationToken).ConfigureAwait(false);
        }

        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<double> calm = [], flooded = [];
        List<double> current = calm;
        long sent = 0;
        Task neighbour = Task.Run(
            async () =>
            {
                using BatchConnection connection = await BatchConnection.OpenAsync(node.Http, Neighbour, "neighbour", cancellationToken).ConfigureAwait(false);
                BenchStream stream = new(Neighbour, NeighbourCounters, isZipf: true, seed: 1);
                byte[][] all = [.. Enumerable.Range(0, NeighbourCounters).Select(BenchStream.NameUtf8)];
                for (long part = 0; !over.IsCancellationRequested; part++)
                {
                    long began = Stopwatch.GetTimestamp();
                    await connection.SendAsync(stream.Part(part, NeighbourCounters), 0, default, part == 0 ? all : [], cancellationToken).ConfigureAwait(false);
                    Volatile.Read(ref current).Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                    sent += NeighbourCounters;
                    await Task.Delay(1, cancellationToken).ConfigureAwait(false);
                }
            },
            cancellationToken);

        await Task.Delay(TimeSpan.FromSeconds(4), cancellationToken).ConfigureAwait(false);
        long before = node.Use().Node.PeakBytes;
        Volatile.Write(ref current, flooded);
        say($"throwing {names:N0} names at a namespace that may hold {Quota:N0}");
        Stopwatch watch = Stopwatch.StartNew();
        long refused = await ThrowAsync(cancellationToken).ConfigureAwait(false);
        double seconds = watch.Elapsed.TotalSeconds;
        await over.CancelAsync().ConfigureAwait(false);
        await neighbour.ConfigureAwait(false);

        HealthAnswer health = await rest.GetAsync("health/ready", AnswersJson.Readable.HealthAnswer, cancellationToken).ConfigureAwait(false);
        NamespacesAnswer namespaces = await rest.GetAsync("v1/namespaces", AnswersJson.Readable.NamespacesAnswer, cancellationToken).ConfigureAwait(false);
        ValuesAnswer top = await rest.GetAsync(NodeClient.Namespace(Neighbour) + "/top?k=1000", AnswersJson.Readable.ValuesAnswer, cancellationToken).ConfigureAwait(false);
        return new FloodReport(
            names, refused, namespaces.Namespaces.Single(n => n.Name == Flooded).Counters, Math.Round(names / seconds), before, node.Use().Node.PeakBytes,
            health.Engine!.TotalsBytes, sent, top.Values.Sum(v => v.Lower), top.Values.Sum(v => v.Upper), At(calm, 0.5), At(calm, 0.99), At(flooded, 0.5), At(flooded, 0.99));
    }

    private async Task<long> ThrowAsync(CancellationToken cancellationToken)
    {
        using BatchConnection connection = await BatchConnection.OpenAsync(node.Http, Flooded, "flood", cancellationToken).ConfigureAwait(false);
        Random random = new(1);
        byte[] ids = new byte[Batch * sizeof(ulong)];
        byte[][] thrown = new byte[Batch][];
        long refused = 0;
        for (long from = 0; from < names; from += Batch)
        {
            for (int i = 0; i < Batch; i++)
            {
                string name = random.NextInt64().ToString("x16", CultureInfo.InvariantCulture);
                thrown[i] = System.Text.Encoding.UTF8.GetBytes(name);
                MemoryMarshal.Cast<byte, ulong>(ids.AsSpan())[i] = CounterId.Of(Flooded, name);
            }

            refused += await connection.OfferAsync(ids, 0, default, thrown, cancellationToken).ConfigureAwait(false) == 200 ? 0 : Batch;
        }

        return refused;
    }

    private static double At(List<double> values, double share) => values.Count == 0 ? 0 : Math.Round(values.Order().ElementAt((int)(share * (values.Count - 1))), 3);
}

/// <summary>What a flood did.</summary>
internal sealed record FloodReport(
    long Names,
    long Refused,
    long CountersHeld,
    double NamesPerSecond,
    long PeakBytesBefore,
    long PeakBytesAfter,
    long TotalsBytes,
    long NeighbourSent,
    long NeighbourLower,
    long NeighbourUpper,
    double NeighbourP50Calm,
    double NeighbourP99Calm,
    double NeighbourP50Flooded,
    double NeighbourP99Flooded)
{
    /// <summary>The neighbour's counters are right: what was sent lies within their bounds.</summary>
    public bool IsRight => NeighbourLower <= NeighbourSent && NeighbourSent <= NeighbourUpper;

    /// <summary>For people.</summary>
    public string ToText() => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        {Names:N0} names at {NamesPerSecond:N0} a second: {CountersHeld:N0} held, {Refused:N0} refused; memory of the node at most {PeakBytesBefore >> 20} MiB before and {PeakBytesAfter >> 20} MiB after, the table of counters {TotalsBytes >> 20} MiB
        neighbour: {NeighbourSent:N0} sent, between {NeighbourLower:N0} and {NeighbourUpper:N0}; a batch of 1,000 takes p50 {NeighbourP50Calm:0.00} ms, p99 {NeighbourP99Calm:0.00} ms before and p50 {NeighbourP50Flooded:0.00} ms, p99 {NeighbourP99Flooded:0.00} ms meanwhile
        """);
}

/// <summary>The JSON of a flood.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(FloodReport))]
internal sealed partial class FloodJson : JsonSerializerContext;
