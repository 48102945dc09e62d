using System.Globalization;
using System.Runtime.InteropServices;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;

namespace Sketch.Storage.Store;

/// <summary>Which part of which window: what makes a deduplication token.</summary>
internal readonly record struct ChunkKey(LogIdentity Log, long From, long To, int Chunk)
{
    /// <summary>Which rows go into which chunk; chunks that were cut otherwise must not be taken for a retry. How they travel is of no matter.</summary>
    private const int Format = 1;

    /// <summary>The same for every try of the same rows, and for nothing else.</summary>
    public string Token => string.Create(CultureInfo.InvariantCulture, $"{Log.Incarnation:x16}/{Log.Number}/{From}-{To}/{Format}/{Chunk}");
}

/// <summary>Rows of a window as columns, a million at most: one block in ClickHouse.</summary>
internal sealed class StoreChunk(ChunkKey key, long timeMs, int capacity)
{
    /// <summary>The most rows in one; never change it without a new token format.</summary>
    public const int MaxRows = 1_000_000;

    private const ushort UsualDays = 30;
    private const ushort LongestDays = 365;

    private readonly ulong[] _ids = new ulong[capacity];
    private readonly ulong[] _deltas = new ulong[capacity];
    private readonly List<(string Namespace, int Rows)> _namespaces = [];

    /// <summary>Which part of which window it is.</summary>
    public ChunkKey Key => key;

    /// <summary>Log time of the window's first record; its hour is the hour of all of it.</summary>
    public long TimeMs => timeMs;

    /// <summary>How many rows it has.</summary>
    public int Count { get; private set; }

    /// <summary>The counters, one a row.</summary>
    public ReadOnlyMemory<ulong> Ids => _ids.AsMemory(0, Count);

    /// <summary>Int64 values, as their bits.</summary>
    public ReadOnlyMemory<ulong> Deltas => _deltas.AsMemory(0, Count);

    /// <summary>The rows' namespaces, in runs.</summary>
    public IReadOnlyList<(string Namespace, int Rows)> Namespaces => _namespaces;

    /// <summary>By namespace, for how many days history is kept; null when that is not known, after a crash.</summary>
    public IReadOnlyDictionary<string, int>? RetentionDays { get; init; }

    /// <summary>For how many days a namespace's history is kept: when that is not known, the longest, since nothing may go too early.</summary>
    public ushort DaysOf(string @namespace) => RetentionDays is null ? LongestDays : DaysOf(RetentionDays, @namespace);

    /// <summary>The same, when it is known.</summary>
    public static ushort DaysOf(IReadOnlyDictionary<string, int> retentionDays, string @namespace) =>
        retentionDays.TryGetValue(@namespace, out int days) ? (ushort)days : UsualDays;

    /// <summary>Adds a row; those of a namespace one after the other.</summary>
    /// <param name="namespace">Whose counter it is.</param>
    /// <param name="id">The counter.</param>
    /// <param name="delta">What the window added to it.</param>
    public void Add(string @namespace, ulong id, long delta)
    {
        _ids[Count] = id;
        _deltas[Count++] = unchecked((ulong)delta);
        if (_namespaces.Count > 0 && _namespaces[^1].Namespace == @namespace)
        {
            _namespaces[^1] = (@namespace, _namespaces[^1].Rows + 1);
        }
        else
        {
            _namespaces.Add((@namespace, 1));
        }
    }

    /// <summary>Cuts a window: always the same rows into the same chunks.</summary>
    public static IEnumerable<StoreChunk> Cut(Checkpoint checkpoint, int maxRows)
    {
        DeltaColumns deltas = checkpoint.Deltas;
        int left = deltas.Count;
        StoreChunk? chunk = null;
        int number = 0;
        foreach (DeltaRun run in deltas.Runs)
        {
            for (int at = 0; at < run.Ids.Length;)
            {
                chunk ??= new StoreChunk(new ChunkKey(checkpoint.Log, checkpoint.From, checkpoint.To, number++), checkpoint.FirstTimeMs, Math.Min(maxRows, left))
                {
                    RetentionDays = checkpoint.RetentionDays,
                };
                int rows = Math.Min(run.Ids.Length - at, chunk._ids.Length - chunk.Count);
                chunk.Add(run.Namespace, run.Ids.Span.Slice(at, rows), run.Deltas.Span.Slice(at, rows));
                at += rows;
                left -= rows;
                if (chunk.Count == chunk._ids.Length)
                {
                    yield return chunk;
                    chunk = null;
                }
            }
        }
    }

    private void Add(string @namespace, ReadOnlySpan<ulong> ids, ReadOnlySpan<long> deltas)
    {
        ids.CopyTo(_ids.AsSpan(Count));
        MemoryMarshal.Cast<long, ulong>(deltas).CopyTo(_deltas.AsSpan(Count));
        Count += ids.Length;
        _namespaces.Add((@namespace, ids.Length));
    }
}
