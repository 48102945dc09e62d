using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Serialization;
using Sketch.Server.Rest;

namespace Sketch.Server.Commands.Bench;

/// <summary>Approximate counters of the kind distinct, many of them, whose cardinalities follow Zipf's law: what they cost the node.</summary>
internal sealed class DistinctBench(ServedNode node, int counters, int elementsEach, Action<string> say)
{
    private const string Namespace = "distinct";
    private const int Connections = 64;
    private const int Batch = 5_000;

    /// <summary>Runs it.</summary>
    public async Task<DistinctReport> RunAsync(CancellationToken cancellationToken)
    {
        using NodeClient rest = new(node.Http, Connections);
        await rest.SendAsync(
            HttpMethod.Put, NodeClient.Namespace(Namespace), new NamespaceBody("approximate", null, null, counters),
            BodiesJson.Default.NamespaceBody, AnswersJson.Readable.NamespaceAnswer, cancellationToken).ConfigureAwait(false);
        long before = node.MemoryBytes();
        ParallelOptions together = new() { MaxDegreeOfParallelism = Connections, CancellationToken = cancellationToken };

        say($"defining {counters:N0} counters of the kind distinct");
        Stopwatch watch = Stopwatch.StartNew();
        await Parallel.ForAsync(0, counters, together, async (counter, cancel) =>
        {
            using HttpRequestMessage put = new(HttpMethod.Put, $"{NodeClient.Namespace(Namespace)}/counters/{Name(counter)}")
            {
                Content = JsonContent.Create(new CounterBody("distinct", null, null, null), BodiesJson.Default.CounterBody),
            };
            await ExpectAsync(rest, put, cancel).ConfigureAwait(false);
        }).ConfigureAwait(false);
        double defining = watch.Elapsed.TotalSeconds;
        long defined = await SettledAsync(rest, cancellationToken).ConfigureAwait(false);

        // Counter c gets a share of 1 / (c + 1), one element at least.
        double harmonic = Enumerable.Range(1, counters).Sum(c => 1.0 / c);
        int[] sizes = [.. Enumerable.Range(1, counters).Select(c => Math.Max(1, (int)((double)elementsEach * counters / harmonic / c)))];
        long elements = sizes.Sum(s => (long)s);
        say($"adding {elements:N0} elements");
        watch.Restart();
        await Parallel.ForEachAsync(Batches(sizes), together, async (batch, cancel) =>
        {
            using HttpRequestMessage post = new(HttpMethod.Post, $"{NodeClient.Namespace(Namespace)}/increments")
            {
                Content = JsonContent.Create(new IncrementsBody(null, null, batch), BodiesJson.Default.IncrementsBody),
            };
            await ExpectAsync(rest, post, cancel).ConfigureAwait(false);
        }).ConfigureAwait(false);
        double adding = watch.Elapsed.TotalSeconds;
        long after = await SettledAsync(rest, cancellationToken).ConfigureAwait(false);

        HealthAnswer health = await rest.GetAsync("health/ready", AnswersJson.Readable.HealthAnswer, cancellationToken).ConfigureAwait(false);
        double squares = 0;
        int largest = Math.Min(counters, 100);
        for (int counter = 0; counter < largest; counter++)
        {
            Engine.Reads.CounterValue value = await rest.GetAsync(
                $"{NodeClient.Namespace(Namespace)}/counters/{Name(counter)}", AnswersJson.Readable.CounterValue, cancellationToken).ConfigureAwait(false);
            squares += Math.Pow((value.Value / (double)sizes[counter]) - 1, 2);
        }

        return new DistinctReport(
            counters, elements, Math.Round(counters / defining), Math.Round(elements / adding), health.Engine!.DistinctBytes, before, defined, after,
            Math.Round(100 * Math.Sqrt(squares / largest), 2));
    }

    private static string Name(int counter) => string.Create(CultureInfo.InvariantCulture, $"page-{counter}");

    // Counters by turns, as visitors come: the largest go on to the end.
    private static IEnumerable<IReadOnlyList<IncrementBody>> Batches(int[] sizes)
    {
        List<IncrementBody> batch = new(Batch);
        int left = sizes.Length;
        for (int n = 0; left > 0; n++)
        {
            while (left > 0 && sizes[left - 1] <= n)
            {
                left--;
            }

            for (int counter = 0; counter < left; counter++)
            {
                batch.Add(new IncrementBody(Name(counter), null, string.Create(CultureInfo.InvariantCulture, $"{counter}/{n}")));
                if (batch.Count == Batch)
                {
                    yield return batch;
                    batch = new(Batch);
                }
            }
        }

        if (batch.Count > 0)
        {
            yield return batch;
        }
    }

    // When nothing waits for the store any more, memory is what the counters take and no longer what their windows took.
    private async Task<long> SettledAsync(NodeClient rest, CancellationToken cancellationToken)
    {
        for (DateTimeOffset since = DateTimeOffset.UtcNow; ;)
        {
            HealthAnswer health = await rest.GetAsync("health/ready", AnswersJson.Readable.HealthAnswer, cancellationToken).ConfigureAwait(false);
            if (health.Engine!.ExactAsOf > since)
            {
                return node.MemoryBytes();
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task ExpectAsync(NodeClient rest, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await rest.SendRawAsync(request, cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            throw new CommandException(await NodeClient.SentenceAsync(response, cancellationToken).ConfigureAwait(false));
        }
    }
}

/// <summary>What many distinct counters cost.</summary>
/// <param name="Counters">How many.</param>
/// <param name="Elements">How many elements they have together, each once.</param>
/// <param name="DefinitionsPerSecond">How fast they were defined, one call each.</param>
/// <param name="ElementsPerSecond">How fast elements were taken, as JSON.</param>
/// <param name="DistinctBytes">What the node says that the states take.</param>
/// <param name="MemoryBefore">Memory of the node's process at first, bytes.</param>
/// <param name="MemoryDefined">With all counters defined and none counted.</param>
/// <param name="MemoryAfter">With all elements counted and stored.</param>
/// <param name="ErrorPercent">Root mean square error of the hundred largest.</param>
internal sealed record DistinctReport(
    int Counters, long Elements, double DefinitionsPerSecond, double ElementsPerSecond, long DistinctBytes, long MemoryBefore, long MemoryDefined, long MemoryAfter, double ErrorPercent)
{
    /// <summary>For people.</summary>
    public string ToText() => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        {Counters:N0} counters defined at {DefinitionsPerSecond:N0} a second, {Elements:N0} elements added at {ElementsPerSecond:N0} a second; the hundred largest err by {ErrorPercent:0.00} %
        states {DistinctBytes / 1e6:N0} MB; the node's memory {MemoryBefore / 1e6:N0} MB at first, {MemoryDefined / 1e6:N0} MB with the counters defined, {MemoryAfter / 1e6:N0} MB with everything stored
        """);
}

/// <summary>The JSON of it.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(DistinctReport))]
internal sealed partial class DistinctJson : JsonSerializerContext;
