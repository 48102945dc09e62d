using System.Text;
using Microsoft.Extensions.Time.Testing;
using Sketch.Engine;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Increments;
using Sketch.Engine.Log;
using Sketch.Engine.Reads;
using Sketch.Tests.Engine.Log;

namespace Sketch.Tests.Engine;

/// <summary>An engine over a real log in a folder of its own, with a clock that is moved by hand, that can be closed and opened again.</summary>
internal sealed partial class Rig : IAsyncDisposable
{
    public const string Namespace = "words";

    private readonly TempFolder _folder = new();
    private readonly long _sketchBytes;
    private EmbeddedLog? _log;
    private CountingEngine? _engine;

    private readonly bool _isTight;

    private Rig(long sketchBytes, bool isTight) => (_sketchBytes, _isTight) = (sketchBytes, isTight);

    public MemoryStore Store { get; } = new();

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero));

    public CountingEngine Engine => _engine!;

    public EmbeddedLog Log => _log!;

    /// <summary>For how long a counter stays that nobody increments.</summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromDays(30);

    /// <summary>What the engine gets as its log from the next start on.</summary>
    public Func<IIncrementLog, IIncrementLog> WrapLog { get; set; } = static log => log;

    /// <summary>Memory of totals from the next start on; null for none where it is tight, else for all.</summary>
    public long? TotalsMemoryBytes { get; set; }

    /// <summary>What the engine logged as a warning or worse.</summary>
    public WarningLog Warnings { get; } = new();

    /// <param name="tier">The namespace's.</param>
    /// <param name="sketchBytes">A window's count-min.</param>
    /// <param name="isTight">Nothing stays in memory that need not, but the two heaviest.</param>
    public static async Task<Rig> Open(Tier tier = Tier.Eventual, long sketchBytes = 1 << 16, bool isTight = false)
    {
        Rig rig = new(sketchBytes, isTight);
        await rig.Start();
        Assert.Null(await rig.Engine.DefineNamespaceAsync(new NamespaceDefinition(Namespace, tier), CancellationToken.None));
        return rig;
    }

    public async Task Start()
    {
        _log = await EmbeddedLog.OpenAsync(
            new EmbeddedLogOptions { Folder = Path.Combine(_folder, "log"), SegmentBytes = 1 << 20 }, Time, CancellationToken.None);
        _engine = await CountingEngine.OpenAsync(
            new EngineOptions
            {
                DataFolder = _folder,
                SketchMemoryBytes = _sketchBytes,
                TotalsMemoryBytes = TotalsMemoryBytes ?? (_isTight ? 0 : 1 << 20),
                HeaviestKept = _isTight ? 2 : 1_024,
                AddedAtOnce = _isTight ? 1 : 1_000_000,
                Lifetime = _ => Lifetime,
                IdleAskedAtOnce = _isTight ? 100 : 1 << 19,
            },
            WrapLog(_log), Store, Time, Warnings, CancellationToken.None);
    }

    public async Task Stop()
    {
        await Engine.DisposeAsync();
        await Log.DisposeAsync();
    }

    public async Task Restart()
    {
        await Stop();
        await Start();
    }

    public async Task<IncrementResult> Send(string? producer, long sequence, params (string Name, long Delta)[] increments)
    {
        using IncrementBatch batch = Engine.RentBatch(Namespace)!;
        foreach ((string name, long delta) in increments)
        {
            Assert.Null(batch.Add(Encoding.UTF8.GetBytes(name), delta));
        }

        return await Engine.CommitAsync(batch, producer, sequence, CancellationToken.None);
    }

    public async Task<IncrementResult> Add(string name, long delta)
    {
        IncrementResult result = await Send(null, 0, (name, delta));
        Assert.Equal(IncrementStatus.Accepted, result.Status);
        return result;
    }

    public CounterValue? Read(string name, double confidence = 0.99) => Engine.Read(Namespace, [name], confidence)[0];

    /// <summary>As <see cref="Read"/>, whether or not the total is in memory.</summary>
    public async Task<CounterValue?> ReadThrough(string name) =>
        (await Engine.ReadAsync(Namespace, [name], 0.99, CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(30)))[0];

    public async Task<IReadOnlyList<CounterValue>> Top(int k) =>
        await Engine.TopAsync(Namespace, k, 0.99, CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    public Task Checkpoint() => Engine.CheckpointAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));

    public async ValueTask DisposeAsync()
    {
        await Stop();
        _folder.Dispose();
    }
}
