using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Storage.Embedded;
using Sketch.Storage.Store;
using Sketch.Storage.Supervision;

namespace Sketch.Bench.Storage;

/// <summary>The real store over an embedded ClickHouse of its own, in a folder that goes with it, or in one that stays and is measured again.</summary>
internal sealed class BenchStore : IAsyncDisposable
{
    public const string Namespace = "bench";

    private static readonly Dictionary<string, string> NoLabels = [];

    private readonly string _folder;
    private readonly bool _stays;
    private readonly InsertTimes _times;
    private readonly HttpClient _reader;
    private readonly HttpClient _writer;
    private long _position;

    private BenchStore(string folder, bool stays, ClickHouseProcess process, ClickHouseStore store, InsertTimes times)
    {
        _folder = folder;
        _times = times;
        _stays = stays;
        Process = process;
        Store = store;
        _reader = new HttpClient { BaseAddress = process.Address, Timeout = TimeSpan.FromHours(1) };
        _writer = new HttpClient { BaseAddress = process.Address, Timeout = TimeSpan.FromHours(1) };
        _writer.DefaultRequestHeaders.Add("X-ClickHouse-User", ClickHouseProcess.User);
        _writer.DefaultRequestHeaders.Add("X-ClickHouse-Key", process.Password);
    }

    public static LogIdentity Log { get; } = new(1, 0);

    public ClickHouseProcess Process { get; }

    public ClickHouseStore Store { get; }

    /// <summary>The last position that is stored.</summary>
    public long Position => _position;

    /// <summary>True when the folder had a store already, filled as this release's bench fills it.</summary>
    public bool IsFilled => _position > 0;

    /// <summary>Memory of ClickHouse's process, MiB.</summary>
    public long MemoryMiB
    {
        get
        {
            using Process child = System.Diagnostics.Process.GetProcessById(Process.ProcessId);
            return child.WorkingSet64 >> 20;
        }
    }

    /// <param name="folder">Where the store lies and stays; null for one that goes with the bench.</param>
    public static async Task<BenchStore> StartAsync(string? folder = null)
    {
        bool stays = folder is not null;
        folder = stays ? Directory.CreateDirectory(folder!).FullName : Directory.CreateTempSubdirectory("sketch-bench-").FullName;
        ClickHouseProcessOptions options = new()
        {
            Command = [Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", typeof(Program).Assembly.Location, "clickhouse"],
            ClickHouse = new EmbeddedClickHouseOptions { DataFolder = folder },
        };
        ClickHouseProcess process = await ClickHouseProcess.StartAsync(options, NullLogger<ClickHouseProcess>.Instance, TimeProvider.System, default);
        InsertTimes times = new();
        BenchStore bench = new(folder, stays, process, await OpenAsync(process, times), times);
        if (stays && File.Exists(bench.Filled))
            bench._position = long.Parse(await File.ReadAllTextAsync(bench.Filled), CultureInfo.InvariantCulture);
        return bench;
    }

    /// <summary>A store as a node that starts again would open it.</summary>
    public static Task<ClickHouseStore> OpenAsync(ClickHouseProcess process, InsertTimes? times = null) => ClickHouseStore.OpenAsync(
        ClickHouseStoreOptions.For(process) with { BeforeInsert = table => { times?.Begin(table); return Task.CompletedTask; } },
        NullLogger<ClickHouseStore>.Instance, default);

    /// <summary>Stores a window; how long the inserts into each table took, in order.</summary>
    public async Task<IReadOnlyList<(string Table, TimeSpan Took)>> StoreAsync(Checkpoint window)
    {
        await Store.StoreAsync(window, default);
        return _times.Take();
    }

    public static string Name(int counter) => string.Create(CultureInfo.InvariantCulture, $"counter-{counter}");

    public static ulong Id(int counter) => CounterId.Of(Namespace, Name(counter));

    /// <summary>A window in which each of some counters gets a delta; made before the clock of a measurement runs.</summary>
    public Checkpoint Window(int first, int count, long timeMs, bool withNames, Random random)
    {
        _position++;
        return new Checkpoint
        {
            Log = Log,
            From = _position,
            To = _position,
            FirstTimeMs = timeMs,
            LastTimeMs = timeMs,
            Increments = count,
            Deltas = [.. Enumerable.Range(first, count).Select(i => new DeltaRow(Namespace, Id(i), random.Next(1, 1_000))).OrderBy(r => r.Id)],
            Names = !withNames ? [] :
            [
                .. Enumerable.Range(first, count).Select(Name).Order(StringComparer.Ordinal)
                    .Select(n => new NamedCounter(Namespace, n, CounterId.Of(Namespace, n), "sum", "approximate", NoLabels)),
            ],
        };
    }

    /// <summary>All is in the store: a folder that stays is not filled again.</summary>
    public Task MarkFilledAsync() => _stays ? File.WriteAllTextAsync(Filled, _position.ToString(CultureInfo.InvariantCulture)) : Task.CompletedTask;

    /// <summary>What an analyst asks.</summary>
    public Task<string> AskAsync(string sql) => SendAsync(_reader, sql);

    /// <summary>Merges all parts of a table into one a partition.</summary>
    public Task MergeAsync(string table) => SendAsync(_writer, $"OPTIMIZE TABLE sketch.{table} FINAL");

    /// <summary>Rows and bytes of a table on disk, or of some of its partitions.</summary>
    public async Task<(long Rows, long Bytes)> SizeAsync(string table, string partitions = "1")
    {
        string[] answer = (await SendAsync(_writer, $"SELECT sum(rows), sum(bytes_on_disk) FROM system.parts WHERE database = 'sketch' AND table = '{table}' AND active AND {partitions}")).Split('\t');
        return (long.Parse(answer[0], CultureInfo.InvariantCulture), long.Parse(answer[1], CultureInfo.InvariantCulture));
    }

    public async ValueTask DisposeAsync()
    {
        _reader.Dispose();
        _writer.Dispose();
        await Store.DisposeAsync();
        await Process.DisposeAsync();
        if (!_stays)
            Directory.Delete(_folder, recursive: true);
    }

    // Beside ClickHouse's own files, under a name that it does not have.
    private string Filled => Path.Combine(_folder, "bench-filled");

    private static async Task<string> SendAsync(HttpClient http, string sql)
    {
        using StringContent content = new(sql);
        using HttpResponseMessage answer = await http.PostAsync(new Uri("/", UriKind.Relative), content);
        string text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? text.TrimEnd('\n') : throw new InvalidOperationException(text);
    }
}
