using System.Diagnostics;
using System.Net.Sockets;
using MessagePack;
using Sketch.Engine.Catalogue;
using Sketch.Realtime;
using Sketch.Server.Rest;

namespace Sketch.Server.Commands.Bench;

/// <summary>What is measured.</summary>
internal sealed record LiveBenchOptions
{
    public int Connections { get; init; } = 1_000;

    public int CountersEach { get; init; } = 20;

    public int IntervalMs { get; init; } = 1_000;

    public double LoadPerSecond { get; init; } = 1_000_000;

    public int Stalled { get; init; } = 100;

    public int Loopers { get; init; } = 10;

    public int Seconds { get; init; } = 10;
}

/// <summary>
/// Dashboards that watch counters while they are counted, first alone, then in the same run beside clients that stopped reading and clients that connect again
/// and again.
/// </summary>
internal sealed class LiveBench(LiveBenchOptions options, ServedNode node, Action<string> say)
{
    private const int Counters = 2_000;
    private const int Batch = 1_000;

    // Dashboards whose values are compared with the truth afterwards. They watch as many counters more that nobody increments.
    private const int Audited = 20;
    private const int Resting = 200;
    private const int LoadConnections = 4;
    private const int ConnectAtOnce = 32;
    private const int StalledReceiveBytes = 16 << 10;
    private static readonly TimeSpan PingEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(3);

    private readonly FrameAges _ages = new();
    private readonly ValueAudit _audit = new();
    private readonly List<DashboardConnection> _all = [];
    private long _increments;
    private long _loops;
    private long _closed;

    /// <summary>Runs it.</summary>
    public async Task<LiveReport> RunAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenSource done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        LiveReport report;
        List<Task> work = [LoadAsync(await PrepareAsync(cancellationToken).ConfigureAwait(false), done.Token), PingAsync(done.Token)];
        try
        {
            await Task.Delay(Settle, cancellationToken).ConfigureAwait(false);
            long before = node.MemoryBytes();
            say($"connecting {options.Connections:N0} dashboards of {options.CountersEach} counters at {1_000.0 / options.IntervalMs:0.##} Hz");
            work.AddRange(await ConnectAsync(options.Connections, number => WatchAsync(number, done.Token), cancellationToken).ConfigureAwait(false));
            work.AddRange(await ConnectAsync(Audited, number => AuditAsync(number, done.Token), cancellationToken).ConfigureAwait(false));
            await Task.Delay(Settle, cancellationToken).ConfigureAwait(false);
            long connected = node.MemoryBytes();
            LivePhase alone = await MeasureAsync(cancellationToken).ConfigureAwait(false);
            LivePhase? beside = null;
            if (options.Stalled + options.Loopers > 0)
            {
                say($"beside {options.Stalled} that stopped reading and {options.Loopers} that connect again and again");
                await ConnectAsync(options.Stalled, number => StallAsync(number, done.Token), cancellationToken).ConfigureAwait(false);
                work.AddRange(Enumerable.Range(0, options.Loopers).Select(number => LoopAsync(number, done.Token)));
                await Task.Delay(Settle, cancellationToken).ConfigureAwait(false);
                beside = await MeasureAsync(cancellationToken).ConfigureAwait(false);
            }

            // One that does not understand what it reads would be counted as one to whom little is sent.
            if (work.Find(task => task.IsFaulted) is { } failed)
                await failed.ConfigureAwait(false);
            report = new LiveReport
            {
                Connections = options.Connections,
                CountersEach = options.CountersEach,
                IntervalMs = options.IntervalMs,
                BytesPerClient = (connected - before) / (options.Connections + Audited),
                Stalled = options.Stalled,
                Loopers = options.Loopers,
                Loops = Interlocked.Read(ref _loops),
                ClosedByNode = Interlocked.Read(ref _closed),
                Alone = alone,
                Beside = beside,
                Audit = new LiveAudit(0, 0, 0, 0),
            };
        }
        finally
        {
            await done.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lock (_all)
                _all.ForEach(connection => connection.Dispose());
        }

        // Only now is every batch known that a value may hold: those on their way too.
        return report with { Audit = _audit.Compare(name => CounterId.Of(NodeBenchOptions.Namespace, name)) };
    }

    /// <summary>The MessagePack of a subscription to some of the counters, and as many of those at rest if it is to be audited.</summary>
    internal static byte[] Request(int number, int counters, int intervalMs, bool isAudited = false)
    {
        Random random = new(number);
        int[] numbers = [.. Enumerable.Range(0, counters).Select(_ => random.Next(Counters))];
        int[] resting = isAudited ? [.. numbers.Select(i => Counters + (i % Resting))] : [];
        return MessagePackSerializer.Serialize(new Dictionary<string, object>
        {
            ["namespace"] = NodeBenchOptions.Namespace,
            ["names"] = numbers.Concat(resting).Select(BenchStream.Name).Distinct().ToArray(),
            ["intervalMs"] = intervalMs,
        });
    }

    private async Task<BenchStream> PrepareAsync(CancellationToken cancellationToken)
    {
        using NodeClient rest = new(node.Http);
        await rest.SendAsync(
            HttpMethod.Put, NodeClient.Namespace(NodeBenchOptions.Namespace), new NamespaceBody("approximate", null, null, null),
            BodiesJson.Default.NamespaceBody, AnswersJson.Readable.NamespaceAnswer, cancellationToken).ConfigureAwait(false);
        BenchStream stream = new(NodeBenchOptions.Namespace, Counters, isZipf: true, seed: 1);
        using BatchConnection connection = await BatchConnection.OpenAsync(node.Http, NodeBenchOptions.Namespace, "names", cancellationToken).ConfigureAwait(false);
        await CountAsync(connection, stream.Ids(0, Counters), [.. Enumerable.Range(0, Counters).Select(BenchStream.NameUtf8)], cancellationToken).ConfigureAwait(false);
        await CountAsync(
            connection, BenchStream.IdsOf(NodeBenchOptions.Namespace, Counters, Resting), [.. Enumerable.Range(Counters, Resting).Select(BenchStream.NameUtf8)],
            cancellationToken).ConfigureAwait(false);
        return stream;
    }

    private Task LoadAsync(BenchStream stream, CancellationToken cancellationToken) =>
        Task.WhenAll(Enumerable.Range(0, options.LoadPerSecond > 0 ? LoadConnections : 0).Select(number => LoadAsync(stream, number, cancellationToken)));

    private async Task LoadAsync(BenchStream stream, int number, CancellationToken cancellationToken)
    {
        using BatchConnection connection = await BatchConnection.OpenAsync(node.Http, NodeBenchOptions.Namespace, $"load{number}", cancellationToken).ConfigureAwait(false);
        Stopwatch watch = Stopwatch.StartNew();
        for (long part = number; !cancellationToken.IsCancellationRequested; part += LoadConnections)
        {
            double ahead = (part * Batch / options.LoadPerSecond) - watch.Elapsed.TotalSeconds;
            if (ahead > 0.002)
                await Task.Delay(TimeSpan.FromSeconds(ahead), cancellationToken).ConfigureAwait(false);
            await CountAsync(connection, stream.Part(part, Batch), [], cancellationToken).ConfigureAwait(false);
            Interlocked.Add(ref _increments, Batch);
        }
    }

    private async Task CountAsync(BatchConnection connection, ReadOnlyMemory<byte> ids, byte[][] names, CancellationToken cancellationToken)
    {
        DateTime sent = DateTime.UtcNow;
        DateTime acknowledged = DateTime.MaxValue;
        try
        {
            await connection.SendAsync(ids, 0, default, names, cancellationToken).ConfigureAwait(false);
            acknowledged = DateTime.UtcNow;
        }
        finally
        {
            _audit.Count(ids, sent, acknowledged);
        }
    }

    private static async Task<Task[]> ConnectAsync(int count, Func<int, Task<Task>> connect, CancellationToken cancellationToken)
    {
        Task[] work = new Task[count];
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = ConnectAtOnce, CancellationToken = cancellationToken }, async (number, _) =>
            work[number] = await connect(number).ConfigureAwait(false)).ConfigureAwait(false);
        return work;
    }

    private async Task<Task> WatchAsync(int number, CancellationToken done)
    {
        DashboardConnection connection = await OpenAsync(number, options.IntervalMs, null, done).ConfigureAwait(false);
        return DrainAsync(connection, done);
    }

    private async Task DrainAsync(DashboardConnection connection, CancellationToken done)
    {
        DateTime last = default;
        bool open;
        try
        {
            open = await ReadAsync().ConfigureAwait(false);
        }
        catch (SocketException)
        {
            open = false;
        }

        if (!open)
            Interlocked.Increment(ref _closed);

        Task<bool> ReadAsync() => connection.DrainAsync(
            (frame, bytes) =>
            {
                // The oldest that the dashboard ever was is what it showed just before this frame came.
                DateTime now = DateTime.UtcNow;
                DateTime asOf = FrameAges.AsOf(frame);
                if (last != default)
                    _ages.Add(bytes, FrameAges.CountValues(frame), (now - last).TotalMilliseconds - options.IntervalMs);
                last = asOf;
            },
            done);
    }

    private async Task<Task> AuditAsync(int number, CancellationToken done)
    {
        DashboardConnection connection = await OpenAsync(number, options.IntervalMs, null, done, isAudited: true).ConfigureAwait(false);
        return connection.DrainAsync((frame, _) =>
        {
            foreach (SeenValue value in SeenValue.Of(number, frame))
                _audit.See(value);
        }, done);
    }

    private async Task<Task> StallAsync(int number, CancellationToken done)
    {
        await OpenAsync(number, RealtimeLimits.MinIntervalMs, StalledReceiveBytes, done).ConfigureAwait(false);
        return Task.CompletedTask;
    }

    private async Task LoopAsync(int number, CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            using DashboardConnection connection = await DashboardConnection.OpenAsync(node.Http, RealtimeEndpointExtensions.HubPath, null, done).ConfigureAwait(false);
            connection.Call("Subscribe", Request(number, options.CountersEach, RealtimeLimits.MinIntervalMs));
            using CancellationTokenSource first = CancellationTokenSource.CreateLinkedTokenSource(done);
            await ((Task)connection.DrainAsync((_, _) => first.Cancel(), first.Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Interlocked.Increment(ref _loops);
        }
    }

    private async Task<DashboardConnection> OpenAsync(int number, int intervalMs, int? receiveBytes, CancellationToken done, bool isAudited = false)
    {
        DashboardConnection connection = await DashboardConnection.OpenAsync(node.Http, RealtimeEndpointExtensions.HubPath, receiveBytes, done).ConfigureAwait(false);
        lock (_all)
            _all.Add(connection);
        connection.Call("Subscribe", Request(number, options.CountersEach, intervalMs, isAudited));
        return connection;
    }

    private async Task PingAsync(CancellationToken done)
    {
        while (true)
        {
            await Task.Delay(PingEvery, done).ConfigureAwait(false);
            DashboardConnection[] all;
            lock (_all)
                all = [.. _all];
            foreach (DashboardConnection connection in all)
                connection.SendPing();
        }
    }

    private async Task<LivePhase> MeasureAsync(CancellationToken cancellationToken)
    {
        _ages.Clear();
        long increments = Interlocked.Read(ref _increments);
        ProcessUse before = node.Use().Node;
        double selfBefore = Environment.CpuUsage.TotalTime.TotalSeconds;
        long memory = node.MemoryBytes();
        long started = Stopwatch.GetTimestamp();
        await Task.Delay(TimeSpan.FromSeconds(options.Seconds), cancellationToken).ConfigureAwait(false);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        (long frames, long bytes) = (_ages.Frames, _ages.Bytes);
        double cores = (node.Use().Node.Seconds - before.Seconds) / seconds;
        return new LivePhase
        {
            FramesPerSecond = Math.Round(frames / seconds),
            BytesPerFrame = frames == 0 ? 0 : bytes / frames,
            ValuesPerFrame = frames == 0 ? 0 : Math.Round((double)_ages.Values / frames, 1),
            P50Ms = _ages.Quantile(0.5),
            P99Ms = _ages.Quantile(0.99),
            P999Ms = _ages.Quantile(0.999),
            NodeCores = Math.Round(cores, 2),
            ClientCores = Math.Round((Environment.CpuUsage.TotalTime.TotalSeconds - selfBefore) / seconds, 2),
            IncrementsPerSecond = Math.Round((Interlocked.Read(ref _increments) - increments) / seconds),
            NodeBytes = memory,
            NodeBytesAfter = node.MemoryBytes(),
        };
    }
}
