using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using Sketch.Engine;
using Sketch.Server.Rest;

namespace Sketch.Server.Commands.Bench;

/// <summary>What is measured.</summary>
internal sealed record NodeBenchOptions
{
    /// <summary>The namespace that is made for it.</summary>
    public const string Namespace = "bench";

    /// <summary>How many counters; each has a name.</summary>
    public int Counters { get; init; } = 1_000_000;

    /// <summary>Increments fall on counters by Zipf's law (exponent 1), instead of evenly.</summary>
    public bool IsZipf { get; init; } = true;

    /// <summary>Tier of the namespace: strong, eventual or approximate.</summary>
    public string Tier { get; init; } = "approximate";

    /// <summary>Acknowledged after the fsync, in every tier.</summary>
    public bool Durable { get; init; } = true;

    /// <summary>For how long it counts, in seconds.</summary>
    public int Seconds { get; init; } = 60;

    /// <summary>Increments of a batch.</summary>
    public int BatchIncrements { get; init; } = 1_000;

    /// <summary>Connections, or streams, each with a producer of its own.</summary>
    public int Connections { get; init; } = 8;

    /// <summary>A request for each batch, instead of streams of them.</summary>
    public bool ByRequest { get; init; }

    /// <summary>Numbers of names instead of ids, sorted before it begins; streams only.</summary>
    public bool Compact { get; init; }

    /// <summary>Bytes of a delta on the wire; 0 leaves the column out.</summary>
    public int DeltaBytes { get; init; } = 8;

    /// <summary>What increments are drawn from.</summary>
    public int Seed { get; init; } = 1;
}

/// <summary>
/// Counts as fast as the node takes it, with all stages on, then waits until ClickHouse holds every increment exactly.
/// </summary>
internal sealed class NodeBench(NodeBenchOptions options, ServedNode node, Action<string> say)
{
    private static readonly TimeSpan ExactTime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan MergesTime = TimeSpan.FromSeconds(30);
    private readonly byte[] _deltas = Ones(options.DeltaBytes, EngineLimits.MaxBatchIncrements);
    private long _sent;

    /// <summary>Runs it.</summary>
    public async Task<NodeBenchReport> RunAsync(CancellationToken cancellationToken)
    {
        using NodeClient rest = new(node.Http);
        using NodeClient sql = new(node.Sql);
        (BenchStream stream, double naming) = await PrepareAsync(rest, sql, cancellationToken).ConfigureAwait(false);
        StreamConnection[] streams = await OpenAsync(cancellationToken).ConfigureAwait(false);
        await ExactAsync(sql, cancellationToken).ConfigureAwait(false);
        say("waiting until ClickHouse has merged the names");
        await MergedAsync(cancellationToken).ConfigureAwait(false);
        say($"counting for {options.Seconds} s");
        (ProcessUse before, ProcessUse clickHouseBefore) = node.Use();
        double selfBefore = Environment.CpuUsage.TotalTime.TotalSeconds;
        long named = _sent;
        long windows = await NumberAsync(sql, "SELECT count() FROM checkpoints", cancellationToken).ConfigureAwait(false);
        long started = Stopwatch.GetTimestamp();
        Task counting = CountAsync(stream, streams, started, cancellationToken);
        while (await Task.WhenAny(counting, Task.Delay(TimeSpan.FromSeconds(5), cancellationToken)).ConfigureAwait(false) != counting)
            say($"{(Interlocked.Read(ref _sent) - named) / Stopwatch.GetElapsedTime(started).TotalSeconds / 1e6:0.00} M/s, {Interlocked.Read(ref _sent) - named:N0} increments");
        await counting.ConfigureAwait(false);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        (ProcessUse after, ProcessUse clickHouseAfter) = node.Use();
        double selfAfter = Environment.CpuUsage.TotalTime.TotalSeconds;
        long counted = _sent - named;
        long storedDuring = await NumberAsync(sql, "SELECT count() FROM checkpoints", cancellationToken).ConfigureAwait(false) - windows;

        say("waiting until ClickHouse holds all of it");
        long ended = Stopwatch.GetTimestamp();
        await ExactAsync(sql, cancellationToken).ConfigureAwait(false);
        double lag = Stopwatch.GetElapsedTime(ended).TotalSeconds;
        long exact = await NumberAsync(sql, $"SELECT sum(value) FROM totals WHERE namespace = '{NodeBenchOptions.Namespace}'", cancellationToken).ConfigureAwait(false);
        (ProcessUse peak, ProcessUse clickHousePeak) = node.Use();
        HealthAnswer health = await rest.GetAsync("health/ready", AnswersJson.Readable.HealthAnswer, cancellationToken).ConfigureAwait(false);
        return new NodeBenchReport
        {
            IncrementsPerSecond = Math.Round(counted / seconds),
            Increments = _sent,
            ExactTotal = exact,
            Counters = options.Counters,
            BytesPerCounter = Math.Round((double)health.Engine!.TotalsBytes / options.Counters, 1),
            CountersInMemory = health.Engine.HotCounters,
            LogBytesPerIncrement = Math.Round((double)(after.WrittenBytes - before.WrittenBytes) / counted, 1),
            Spread = options.IsZipf ? "zipf" : "uniform",
            Tier = options.Tier,
            Durable = options.Durable,
            BytesOnTheWire = Math.Round((options.Compact ? stream.NumberBytes : sizeof(ulong)) + options.DeltaBytes, 1),
            Seconds = Math.Round(seconds, 2),
            SecondsToName = Math.Round(naming, 2),
            CheckpointsDuring = storedDuring,
            SecondsToExact = Math.Round(lag, 2),
            NodeNanosecondsPerIncrement = Math.Round((after.Seconds - before.Seconds) / counted * 1e9, 1),
            ClickHouseNanosecondsPerIncrement = Math.Round((clickHouseAfter.Seconds - clickHouseBefore.Seconds) / counted * 1e9, 1),
            ClientNanosecondsPerIncrement = Math.Round((selfAfter - selfBefore) / counted * 1e9, 1),
            NodePeakBytes = peak.PeakBytes,
            ClickHousePeakBytes = clickHousePeak.PeakBytes,
        };
    }

    /// <summary>Names the counters, waits until they are stored, and counts into a window that stays open.</summary>
    /// <returns>The increments in that window.</returns>
    public async Task<long> FillAsync(CancellationToken cancellationToken)
    {
        using NodeClient rest = new(node.Http);
        using NodeClient sql = new(node.Sql);
        (BenchStream stream, _) = await PrepareAsync(rest, sql, cancellationToken).ConfigureAwait(false);
        long named = _sent;
        StreamConnection[] streams = await OpenAsync(cancellationToken).ConfigureAwait(false);
        long started = Stopwatch.GetTimestamp();
        await CountAsync(stream, streams, started, cancellationToken).ConfigureAwait(false);
        return _sent - named;
    }

    private async Task<(BenchStream Stream, double Seconds)> PrepareAsync(NodeClient rest, NodeClient sql, CancellationToken cancellationToken)
    {
        say($"drawing {BenchStream.Length:N0} increments over {options.Counters:N0} counters");
        BenchStream stream = new(NodeBenchOptions.Namespace, options.Counters, options.IsZipf, options.Seed, options.Compact ? options.BatchIncrements : 0);
        await rest.SendAsync(
            HttpMethod.Put, NodeClient.Namespace(NodeBenchOptions.Namespace), new NamespaceBody(options.Tier, options.Durable, null, options.Counters),
            BodiesJson.Default.NamespaceBody, AnswersJson.Readable.NamespaceAnswer, cancellationToken).ConfigureAwait(false);

        say("naming the counters");
        long began = Stopwatch.GetTimestamp();
        await OnConnectionsAsync(4, "names", (connection, number) => NameAsync(connection, stream, number, 4, cancellationToken), cancellationToken).ConfigureAwait(false);
        await ExactAsync(sql, cancellationToken).ConfigureAwait(false);
        return (stream, Stopwatch.GetElapsedTime(began).TotalSeconds);
    }

    private async Task OnConnectionsAsync(
        int connections, string producer, Func<BatchConnection, int, Task> work, CancellationToken cancellationToken)
    {
        List<Task> all = [];
        for (int i = 0; i < connections; i++)
        {
            int number = i;
            all.Add(Task.Run(
                async () =>
                {
                    using BatchConnection connection = await BatchConnection.OpenAsync(
                        node.Http, NodeBenchOptions.Namespace, string.Create(CultureInfo.InvariantCulture, $"{producer}-{number}"), cancellationToken).ConfigureAwait(false);
                    await work(connection, number).ConfigureAwait(false);
                },
                cancellationToken));
        }

        await Task.WhenAll(all).ConfigureAwait(false);
    }

    // Every counter gets its name and a first increment.
    private async Task NameAsync(BatchConnection connection, BenchStream stream, int number, int of, CancellationToken cancellationToken)
    {
        const int Batch = 5_000;
        for (int from = number * Batch; from < stream.Counters; from += of * Batch)
        {
            int count = Math.Min(Batch, stream.Counters - from);
            byte[][] names = [.. Enumerable.Range(from, count).Select(BenchStream.NameUtf8)];
            await connection.SendAsync(
                stream.Ids(from, count), options.DeltaBytes, _deltas.AsMemory(0, count * options.DeltaBytes), names, cancellationToken).ConfigureAwait(false);
            Interlocked.Add(ref _sent, count);
        }
    }

    // Before it is measured: each connection tells the node the names once.
    private async Task<StreamConnection[]> OpenAsync(CancellationToken cancellationToken)
    {
        if (options.ByRequest)
            return [];
        return await Task.WhenAll(Enumerable.Range(0, options.Connections).Select(async number =>
        {
            StreamConnection connection = await StreamConnection.OpenAsync(
                node.Http, NodeBenchOptions.Namespace, string.Create(CultureInfo.InvariantCulture, $"count-{number}"), count => Interlocked.Add(ref _sent, count), cancellationToken)
                .ConfigureAwait(false);
            if (options.Compact)
                await NumberAsync(connection, cancellationToken).ConfigureAwait(false);
            return connection;
        })).ConfigureAwait(false);
    }

    private async Task NumberAsync(StreamConnection connection, CancellationToken cancellationToken)
    {
        const int Batch = 5_000;
        ArrayBufferWriter<byte> first = new();
        BinaryBatch.WriteNumbers(first, [0]);
        for (int from = 0; from < options.Counters; from += Batch)
        {
            int count = Math.Min(Batch, options.Counters - from);
            byte[] names = BatchConnection.Names([.. Enumerable.Range(from, count).Select(BenchStream.NameUtf8)]);
            await connection.SendNumbersAsync(first.WrittenMemory, 1, options.DeltaBytes, _deltas.AsMemory(0, options.DeltaBytes), names, count, isMoreAtOnce: from + Batch < options.Counters, cancellationToken).ConfigureAwait(false);
        }

        await connection.AnsweredAsync(cancellationToken).ConfigureAwait(false);
    }

    private Task CountAsync(BenchStream stream, StreamConnection[] streams, long started, CancellationToken cancellationToken) => options.ByRequest
        ? OnConnectionsAsync(options.Connections, "count", (connection, number) => RequestAsync(connection, stream, number, started, cancellationToken), cancellationToken)
        : Task.WhenAll(streams.Select((connection, number) => Task.Run(() => StreamAsync(stream, connection, number, started, cancellationToken), cancellationToken)));

    private async Task RequestAsync(BatchConnection connection, BenchStream stream, int number, long started, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> deltas = _deltas.AsMemory(0, options.BatchIncrements * options.DeltaBytes);
        for (long part = number; Stopwatch.GetElapsedTime(started).TotalSeconds < options.Seconds; part += options.Connections)
        {
            await connection.SendAsync(stream.Part(part, options.BatchIncrements), options.DeltaBytes, deltas, [], cancellationToken).ConfigureAwait(false);
            Interlocked.Add(ref _sent, options.BatchIncrements);
        }
    }

    private async Task StreamAsync(BenchStream stream, StreamConnection connection, int number, long started, CancellationToken cancellationToken)
    {
        await using (connection.ConfigureAwait(false))
        {
            ReadOnlyMemory<byte> deltas = _deltas.AsMemory(0, options.BatchIncrements * options.DeltaBytes);
            for (long part = number; Stopwatch.GetElapsedTime(started).TotalSeconds < options.Seconds; part += options.Connections)
            {
                if (options.Compact)
                    await connection.SendNumbersAsync(stream.NumberedPart(part), options.BatchIncrements, options.DeltaBytes, deltas, default, 0, isMoreAtOnce: true, cancellationToken).ConfigureAwait(false);
                else
                    await connection.SendAsync(stream.Part(part, options.BatchIncrements), options.DeltaBytes, deltas, cancellationToken).ConfigureAwait(false);
            }

            await connection.FinishAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    // ClickHouse goes on merging what was named: that is no part of counting. It has done when it rests for a second.
    private async Task MergedAsync(CancellationToken cancellationToken)
    {
        const double Resting = 0.05;
        long began = Stopwatch.GetTimestamp();
        double before = double.NegativeInfinity;
        while (node.Use().ClickHouse.Seconds is var now && now - before > Resting && Stopwatch.GetElapsedTime(began) < MergesTime)
        {
            before = now;
            await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ExactAsync(NodeClient sql, CancellationToken cancellationToken)
    {
        long sent = Interlocked.Read(ref _sent);
        long began = Stopwatch.GetTimestamp();
        while (await NumberAsync(sql, "SELECT sum(increments) FROM checkpoints", cancellationToken).ConfigureAwait(false) is var stored && stored != sent)
        {
            if (stored > sent || Stopwatch.GetElapsedTime(began) > ExactTime)
                throw new CommandException($"ClickHouse holds {stored} increments of {sent}");
            await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<long> NumberAsync(NodeClient sql, string query, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "?database=sketch") { Content = new StringContent(query) };
        using HttpResponseMessage response = await sql.SendRawAsync(request, cancellationToken).ConfigureAwait(false);
        string text = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        return response.IsSuccessStatusCode && long.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw new CommandException($"ClickHouse answered {text.Trim()}");
    }

    private static byte[] Ones(int width, int count)
    {
        byte[] column = new byte[width * count];
        for (int at = 0; at < column.Length; at += width)
            column[at] = 1;
        return column;
    }
}
