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

    private Rig(long sketchBytes) => _sketchBytes = sketchBytes;

    public MemoryStore Store { get; } = new();

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero));

    public CountingEngine Engine => _engine!;

    public EmbeddedLog Log => _log!;

    /// <summary>What the engine logged as a warning or worse.</summary>
    public WarningLog Warnings { get; } = new();

    public static async Task<Rig> Open(Tier tier = Tier.Eventual, long sketchBytes = 1 << 16)
    {
        Rig rig = new(sketchBytes);
        await rig.Start();
        Assert.Null(await rig.Engine.DefineNamespaceAsync(new NamespaceDefinition(Namespace, tier), CancellationToken.None));
        return rig;
    }

    public async Task Start()
    {
        _log = await EmbeddedLog.OpenAsync(
            new EmbeddedLogOptions { Folder = Path.Combine(_folder, "log"), SegmentBytes = 1 << 20 }, Time, CancellationToken.None);
        _engine = await CountingEngine.OpenAsync(
            new EngineOptions { DataFolder = _folder, SketchMemoryBytes = _sketchBytes },
            _log, Store, Time, Warnings, CancellationToken.None);
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

    public Task Checkpoint() => Engine.CheckpointAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));

    public async ValueTask DisposeAsync()
    {
        await Stop();
        _folder.Dispose();
    }
}
