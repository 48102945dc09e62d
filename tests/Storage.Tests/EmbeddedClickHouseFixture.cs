using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Abstractions;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Storage.Embedded;
using Sketch.Storage.Store;
using Sketch.Storage.Supervision;

namespace Sketch.Tests.Storage;

/// <summary>One embedded ClickHouse for many tests; each test has a log number and namespaces of its own.</summary>
public sealed class EmbeddedClickHouseFixture : IAsyncLifetime
{
    private static int _logs;

    private readonly string _folder = Directory.CreateTempSubdirectory("sketch-storage-").FullName;

    /// <summary>The start of a recent day: ClickHouse lets go of hours that are a month old.</summary>
    public static long Today { get; } = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 86_400_000 * 86_400_000;

    public ClickHouseProcess Process { get; private set; } = null!;

    public ClickHouseStore Store { get; private set; } = null!;

    /// <summary>A log that no other test has.</summary>
    public static LogIdentity NewLog(ulong incarnation = 0xABCD_1234) => new(incarnation, Interlocked.Increment(ref _logs));

    public static ClickHouseProcessOptions Options(string folder) => new()
    {
        Command =
        [
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            typeof(EmbeddedClickHouseFixture).Assembly.Location,
            "clickhouse",
        ],
        ClickHouse = new EmbeddedClickHouseOptions { DataFolder = folder, MaxMemoryBytes = 3L << 30 },
        Backoff = TimeSpan.FromMilliseconds(10),
        PingEvery = TimeSpan.FromMilliseconds(200),
    };

    public static async Task<ClickHouseProcess> StartAsync(string folder) =>
        await ClickHouseProcess.StartAsync(Options(folder), NullLogger<ClickHouseProcess>.Instance, TimeProvider.System, CancellationToken.None);

    public static async Task<ClickHouseStore> OpenAsync(ClickHouseProcess process, int chunkRows = StoreChunk.MaxRows) =>
        await ClickHouseStore.OpenAsync(
            ClickHouseStoreOptions.For(process) with { ChunkRows = chunkRows }, NullLogger<ClickHouseStore>.Instance, CancellationToken.None);

    /// <summary>A window with the given sums.</summary>
    public static Checkpoint Window(
        LogIdentity log, long from, long to, IEnumerable<(string Namespace, string Name, long Delta)> sums, bool names = true, long? timeMs = null,
        long? lastTimeMs = null)
    {
        DeltaRow[] deltas =
        [
            .. sums.Select(s => new DeltaRow(s.Namespace, CounterId.Of(s.Namespace, s.Name), s.Delta))
                .OrderBy(d => d.Namespace, StringComparer.Ordinal).ThenBy(d => d.Id),
        ];
        NamedCounter[] named =
        [
            .. sums.Where(_ => names).Select(s => new NamedCounter(
                    s.Namespace, s.Name, CounterId.Of(s.Namespace, s.Name), "sum", "approximate", new Dictionary<string, string>()))
                .OrderBy(n => n.Namespace, StringComparer.Ordinal).ThenBy(n => n.Name, StringComparer.Ordinal),
        ];
        return new Checkpoint
        {
            Log = log,
            From = from,
            To = to,
            FirstTimeMs = timeMs ?? Today,
            LastTimeMs = lastTimeMs ?? (timeMs ?? Today) + 10,
            Increments = deltas.Length,
            Deltas = [.. deltas],
            Names = named,
        };
    }

    /// <summary>All counters of a namespace as a restarting engine reads them.</summary>
    public static async Task<Dictionary<string, long>> CountersAsync(ICheckpointStore store, string @namespace)
    {
        Dictionary<ulong, string> names = [];
        await foreach (StoredNames some in store.ReadAllNamesAsync(CancellationToken.None))
        {
            for (int i = 0; some.Namespace == @namespace && i < some.Count; i++)
            {
                string name = System.Text.Encoding.UTF8.GetString(some.Name(i));
                names.Add(CounterId.Of(@namespace, name), name);
            }
        }

        Dictionary<ulong, long> whole = await SumsAsync(store, @namespace, whole: true);
        Dictionary<ulong, long> parts = await SumsAsync(store, @namespace, whole: false);
        Assert.Equal(whole.Where(t => t.Value != 0).OrderBy(t => t.Key), parts.Where(t => t.Value != 0).OrderBy(t => t.Key));
        Assert.All(whole, t => Assert.True(t.Value == 0 || names.ContainsKey(t.Key))); // zero: deleted
        Dictionary<string, long> totals = names.ToDictionary(n => n.Value, n => whole.GetValueOrDefault(n.Key));
        Assert.True(await store.CountCountersAsync(CancellationToken.None) >= names.Count);
        return totals;
    }

    private static async Task<Dictionary<ulong, long>> SumsAsync(ICheckpointStore store, string @namespace, bool whole)
    {
        Dictionary<ulong, long> sums = [];
        await foreach (StoredSums some in store.ReadAllTotalsAsync(whole, CancellationToken.None))
        {
            for (int i = 0; some.Namespace == @namespace && i < some.Ids.Length; i++)
            {
                ref long sum = ref CollectionsMarshal.GetValueRefOrAddDefault(sums, some.Ids.Span[i], out bool isKnown);
                Assert.False(whole && isKnown);
                sum += some.Sums.Span[i];
            }
        }

        return sums;
    }

    /// <summary>Asks until the condition holds; fails after half a minute.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using CancellationTokenSource deadline = new(TimeSpan.FromSeconds(30));
        while (!await condition())
        {
            await Task.Delay(20, deadline.Token);
        }
    }

    public async Task InitializeAsync()
    {
        Process = await StartAsync(_folder);
        Store = await OpenAsync(Process);
    }

    public async Task DisposeAsync()
    {
        await Store.DisposeAsync();
        await Process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>Tests that share one embedded ClickHouse, one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class EmbeddedClickHouseGroup : ICollectionFixture<EmbeddedClickHouseFixture>
{
    public const string Name = "embedded ClickHouse";
}
