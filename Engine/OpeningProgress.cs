namespace Sketch.Engine;

/// <summary>How far an engine is that opens: who shows it asks as often as it likes.</summary>
public sealed class OpeningProgress
{
    private long _from;
    private long _to;
    private long _position;
    private long _counters;

    /// <summary>Records of the log to be replayed.</summary>
    public long Records => Volatile.Read(ref _to) - Volatile.Read(ref _from);

    /// <summary>Records that were.</summary>
    public long Replayed => Math.Clamp(Volatile.Read(ref _position) - Volatile.Read(ref _from), 0, Records);

    /// <summary>Counters loaded from the store, which comes after the log.</summary>
    public long Counters => Volatile.Read(ref _counters);

    /// <summary>How much of the log was replayed, 0 to 100.</summary>
    public int Percent => Records == 0 ? (Counters > 0 ? 100 : 0) : (int)(Replayed * 100 / Records);

    internal void Begin(long from, long to)
    {
        Volatile.Write(ref _from, from);
        Volatile.Write(ref _position, from);
        Volatile.Write(ref _to, to);
        Volatile.Write(ref _counters, 0);
    }

    internal void At(long position) => Volatile.Write(ref _position, position);

    internal void Loaded(int more) => Volatile.Write(ref _counters, _counters + more);
}
