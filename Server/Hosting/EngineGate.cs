using Sketch.Engine;
using Sketch.Engine.Reads;

namespace Sketch.Server.Hosting;

/// <summary>
/// The engine once it is open. The listeners start first, so that health pages answer while a long log is replayed;
/// what needs the engine is turned away until then.
/// </summary>
internal sealed class EngineGate : ICounterReader
{
    private volatile CountingEngine? _engine;
    private volatile string _status = "opening";
    private volatile string? _reason;

    /// <summary>opening, ready, failed or stopping.</summary>
    public string Status => _status;

    /// <summary>Why it failed.</summary>
    public string? Reason => _reason;

    /// <summary>How far it is while it opens.</summary>
    public OpeningProgress Progress { get; } = new();

    /// <summary>True while requests can be served.</summary>
    public bool IsReady => _status == "ready";

    /// <summary>The open engine.</summary>
    public CountingEngine Engine => _engine ?? throw new InvalidOperationException("The engine is not open yet.");

    /// <summary>The engine, or null before it is open.</summary>
    public CountingEngine? EngineOrNull => _engine;

    /// <summary>Lets requests in.</summary>
    public void Open(CountingEngine engine)
    {
        _engine = engine;
        _status = "ready";
    }

    /// <summary>Turns requests away: the node is going down as asked.</summary>
    public void Stop()
    {
        if (_status != "failed")
            _status = "stopping";
    }

    /// <summary>Turns requests away: the node can go no further.</summary>
    public void Fail(string reason)
    {
        _reason = reason;
        _status = "failed";
    }

    /// <inheritdoc/>
    public bool HasNamespace(string @namespace) => Engine.HasNamespace(@namespace);

    /// <inheritdoc/>
    public IReadOnlyList<CounterValue?> Read(string @namespace, IReadOnlyList<string> names, double confidence) =>
        Engine.Read(@namespace, names, confidence);

    /// <inheritdoc/>
    public ValueTask WarmAsync(string @namespace, IReadOnlyList<string> names, CancellationToken cancellationToken) =>
        Engine.WarmAsync(@namespace, names, cancellationToken);

    /// <inheritdoc/>
    public IReadOnlyList<CounterValue> Top(string @namespace, int k, double confidence) => Engine.Top(@namespace, k, confidence);

    /// <inheritdoc/>
    public CounterCut Cut(string @namespace, IReadOnlyList<string> names, int k, double confidence) => Engine.Cut(@namespace, names, k, confidence);

    /// <inheritdoc/>
    public TopItems? LargestItems(string @namespace, string name, int most) => Engine.LargestItems(@namespace, name, most);

    /// <inheritdoc/>
    public IReadOnlyList<string> FindLabelled(string @namespace, IReadOnlyDictionary<string, string> labels, int limit) =>
        Engine.FindLabelled(@namespace, labels, limit);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string>> FindAsync(
        string @namespace, string prefix, string? after, int limit, CancellationToken cancellationToken) =>
        Engine.FindAsync(@namespace, prefix, after, limit, cancellationToken);
}
