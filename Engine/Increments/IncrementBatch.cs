using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Sketch.Engine.Catalogue;

namespace Sketch.Engine.Increments;

/// <summary>
/// Increments of one namespace on their way into the log: columns, validated as they are added. Rent it with
/// <see cref="CountingEngine.RentBatch"/>, fill it on one thread, give it to <see cref="CountingEngine.CommitAsync"/>, dispose it.
/// </summary>
public sealed partial class IncrementBatch : IDisposable
{
    /// <summary>Deltas of approximate counters from this size on are kept exactly beside the sketch, whose cells have 32 bits.</summary>
    private const long MaxSketchDelta = 1 << 20;

    private const int LargeBytes = 128 << 10;

    private readonly IncrementBatchPool _pool;
    private readonly CounterCatalogue _catalogue;
    private readonly byte[] _full = new byte[EngineLimits.MaxNamespaceLength + 1 + EngineLimits.MaxNameBytes];
    private readonly HashSet<ulong> _newIds = [];
    private readonly List<NewName> _newNames = [];
    private ulong[] _exactIds = new ulong[256];
    private long[] _exactDeltas = new long[256];
    private ulong[] _sketchIds = new ulong[1024];
    private uint[] _sketchDeltas = new uint[1024];
    private byte[] _nameBytes = new byte[4096];
    private byte[] _payload = [];
    private int _exact;
    private int _sketch;
    private int _joined; // increments that have no row, since the sketch row before has their delta too
    private ulong _joinedIds; // the sum of their ids
    private uint _deltaBits; // those that any delta of the sketch's rows has
    private int _nameLength;
    private int _prefix;
    private NamespaceEntry? _owner;

    /// <summary>Makes an empty batch, for the pool.</summary>
    internal IncrementBatch(IncrementBatchPool pool, CounterCatalogue catalogue)
    {
        _pool = pool;
        _catalogue = catalogue;
    }

    /// <summary>The namespace all increments go to.</summary>
    public string Namespace => Owner.State.Definition.Name;

    /// <summary>How many increments were added.</summary>
    public int Count => _exact + _sketch + _joined + _elements.DistinctCount;

    /// <summary>The namespace.</summary>
    /// <exception cref="ObjectDisposedException">It was given back.</exception>
    internal NamespaceEntry Owner => _owner ?? throw new ObjectDisposedException(nameof(IncrementBatch));

    /// <summary>A strong counter is among them: the acknowledgement waits for the fsync.</summary>
    public bool IsStrong { get; private set; }

    /// <summary>The position of the last definition that it was judged by.</summary>
    internal long DefinitionsAt { get; private set; }

    /// <summary>The sum of the sizes of all deltas.</summary>
    internal long Weight { get; private set; }

    /// <summary>Its arrays are much larger than most senders' batches need.</summary>
    internal bool IsLarge => _payload.Length + (_sketchIds.Length * 12) + (_exactIds.Length * 16) > LargeBytes;

    /// <summary>Adds one increment; a refusal names the field without its place, for example delta, and leaves the batch as it was.</summary>
    /// <param name="nameUtf8">The counter's name, 1 to 256 bytes of valid UTF-8 without control characters.</param>
    /// <param name="delta">At most <see cref="EngineLimits.MaxDelta"/> either way; not negative for approximate counters.</param>
    /// <returns>Null when added.</returns>
    public Rejection? Add(ReadOnlySpan<byte> nameUtf8, long delta)
    {
        if (CounterName.Check(nameUtf8) is { } badName)
        {
            return badName;
        }

        if (Count == EngineLimits.MaxBatchIncrements)
        {
            return new Rejection(
                RejectionReason.Invalid, "increments", $"more than {EngineLimits.MaxBatchIncrements} increments", $"1 to {EngineLimits.MaxBatchIncrements}");
        }

        nameUtf8.CopyTo(_full.AsSpan(_prefix));
        ulong id = XxHash3.HashToUInt64(_full.AsSpan(0, _prefix + nameUtf8.Length));
        NamespaceEntry owner = Owner;
        Tier tier = owner.State.Definition.Tier;
        bool isKnown = _catalogue.Counters.TryGet(id, out NameEntry entry);
        if (isKnown)
        {
            if (!entry.Is(owner.State.Index, nameUtf8))
            {
                return CounterName.Taken(nameUtf8);
            }

            if (entry.IsDefined && OfOtherKind(id) is { } otherKind)
            {
                return otherKind;
            }

            tier = _catalogue.TierOf(id, entry, owner);
        }

        if (Definitions.CheckDelta(delta, tier) is { } badDelta)
        {
            return badDelta;
        }

        Append(id, delta, tier);
        if (!isKnown || entry.NeedsName)
        {
            AppendName(id, nameUtf8);
        }

        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_owner is not null)
        {
            _owner = null;
            _pool.Return(this);
        }
    }

    /// <summary>Begins anew, for a namespace.</summary>
    internal void Begin(NamespaceEntry owner)
    {
        _owner = owner;
        // Read before any tier is: a definition that comes meanwhile makes the fold look again, never trust an old answer.
        DefinitionsAt = _catalogue.DefinitionsAt;
        owner.IdPrefix.CopyTo(_full, 0);
        _prefix = owner.IdPrefix.Length;
        _exact = _sketch = _joined = _nameLength = 0;
        Weight = 0;
        _joinedIds = 0;
        _deltaBits = 0;
        IsStrong = false;
        _newNames.Clear();
        _newIds.Clear();
        _elements.Clear();
    }

    /// <summary>Enters the batch's new names in the catalogue, so that no second name can take their ids meanwhile. All of them, or none.</summary>
    internal Rejection? EnterNames()
    {
        NamespaceEntry owner = Owner;
        long room = owner.State.Definition.MaxCounters - owner.Counters;
        foreach (NewName name in _newNames)
        {
            if (IsUnknown(name, out NameEntry entry))
            {
                if (room-- <= 0)
                {
                    return new Rejection(
                        RejectionReason.QuotaExceeded, "name", CounterName.Shown(TextOf(name)),
                        $"names already counted: the namespace holds its maximum of {owner.State.Definition.MaxCounters} counters");
                }
            }
            else if (!entry.Is(owner.State.Index, TextOf(name)))
            {
                return CounterName.Taken(TextOf(name));
            }
        }

        foreach (NewName name in _newNames)
        {
            if (IsUnknown(name, out _) && _catalogue.Enter(name.Id, owner, TextOf(name)) is var entry && !entry.Is(owner.State.Index, TextOf(name)))
            {
                return CounterName.Taken(TextOf(name)); // another batch was faster
            }
        }

        return null;
    }

    /// <summary>The payload for the log, valid until the batch is disposed.</summary>
    internal ReadOnlyMemory<byte> Encode()
    {
        int deltaBytes = DeltaColumn.BytesFor(_deltaBits);
        int names = IncrementPayload.NamesOffset(_exact, _sketch, deltaBytes);
        int length = names + (2 * _newNames.Count) + _nameLength;
        if (_payload.Length < length)
        {
            _payload = new byte[Math.Max(length, _payload.Length * 2)];
        }

        Span<byte> into = _payload;
        IncrementPayload.WriteHeader(into, Owner.State.Index, deltaBytes, _exact, _sketch, _newNames.Count, DefinitionsAt, Weight, _joined, _joinedIds);
        into = Write(into[IncrementPayload.HeaderBytes..], MemoryMarshal.AsBytes(_exactIds.AsSpan(0, _exact)));
        into = Write(into, MemoryMarshal.AsBytes(_exactDeltas.AsSpan(0, _exact)));
        into = Write(into, MemoryMarshal.AsBytes(_sketchIds.AsSpan(0, _sketch)));
        into = DeltaColumn.Narrow(_sketchDeltas.AsSpan(0, _sketch), deltaBytes, into);
        foreach (NewName name in _newNames)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(into, (ushort)name.Length);
            into = Write(into[2..], _nameBytes.AsSpan(name.Offset, name.Length));
        }

        return WithElements(_payload.AsMemory(0, length));
    }

    private static Span<byte> Write(Span<byte> into, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(into);
        return into[bytes.Length..];
    }

    private void Append(ulong id, long delta, Tier tier)
    {
        Weight += Math.Abs(delta);
        IsStrong |= tier == Tier.Strong;
        if (tier == Tier.Approximate && delta < MaxSketchDelta)
        {
            if (_sketch == _sketchIds.Length)
            {
                GrowSketchRows(_sketch * 2);
            }

            _sketchIds[_sketch] = id;
            _sketchDeltas[_sketch++] = (uint)delta;
            _deltaBits |= (uint)delta;
            return;
        }

        if (_exact == _exactIds.Length)
        {
            GrowExactRows(_exact * 2);
        }

        _exactIds[_exact] = id;
        _exactDeltas[_exact++] = delta;
    }

    private bool IsUnknown(in NewName name, out NameEntry entry) => !_catalogue.Counters.TryGet(name.Id, out entry) || entry.IsRemoved;

    private ReadOnlySpan<byte> TextOf(in NewName name) => _nameBytes.AsSpan(name.Offset, name.Length);

    private void GrowExactRows(int rows)
    {
        Array.Resize(ref _exactIds, rows);
        Array.Resize(ref _exactDeltas, rows);
    }

    private void GrowSketchRows(int rows)
    {
        Array.Resize(ref _sketchIds, rows);
        Array.Resize(ref _sketchDeltas, rows);
    }

    private void AppendName(ulong id, ReadOnlySpan<byte> nameUtf8)
    {
        if (!_newIds.Add(id))
        {
            return;
        }

        if (_nameLength + nameUtf8.Length > _nameBytes.Length)
        {
            Array.Resize(ref _nameBytes, Math.Max(_nameBytes.Length * 2, _nameLength + nameUtf8.Length));
        }

        nameUtf8.CopyTo(_nameBytes.AsSpan(_nameLength));
        _newNames.Add(new NewName(id, _nameLength, nameUtf8.Length));
        _nameLength += nameUtf8.Length;
    }

    private readonly record struct NewName(ulong Id, int Offset, int Length);
}
