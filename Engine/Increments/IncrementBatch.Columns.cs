using Sketch.Engine.Catalogue;

namespace Sketch.Engine.Increments;

/// <content>Columns of ids whose names the node knows, or the batch declares: the fast door. Nothing is hashed and no name is looked at.</content>
public sealed partial class IncrementBatch
{
    private long[] _references = [];

    /// <summary>Declares a counter's name, so that its id may be used in columns. A name the node knows already is no error.</summary>
    /// <param name="nameUtf8">1 to 256 bytes of valid UTF-8 without control characters.</param>
    /// <returns>Null when declared, else the refusal, of the field name.</returns>
    public Rejection? Declare(ReadOnlySpan<byte> nameUtf8)
    {
        if (CounterName.Check(nameUtf8) is { } badName)
        {
            return badName;
        }

        ulong id = CounterId.Of(Owner.IdPrefix, nameUtf8);
        if (!_catalogue.Counters.TryGet(id, out NameEntry entry))
        {
            AppendName(id, nameUtf8);
            return null;
        }

        if (!entry.Is(Owner.State.Index, nameUtf8))
        {
            return CounterName.Taken(nameUtf8);
        }

        if (!entry.IsDeclared)
        {
            AppendName(id, nameUtf8);
        }

        return null;
    }

    /// <summary>Adds a column of increments; at the first wrong one it stops, and the batch must be dropped.</summary>
    /// <param name="ids">Ids of the namespace's counters (<see cref="CounterId"/>), or of names declared before.</param>
    /// <param name="deltas">One for each id; at most <see cref="EngineLimits.MaxDelta"/> either way; not negative for approximate counters.</param>
    /// <param name="at">Which row was refused.</param>
    /// <returns>Null when all were added, else the refusal, of the field id, delta or increments.</returns>
    public Rejection? Add(ReadOnlySpan<ulong> ids, ReadOnlySpan<long> deltas, out int at)
    {
        at = 0;
        ArgumentOutOfRangeException.ThrowIfNotEqual(deltas.Length, ids.Length);
        if (ids.Length > EngineLimits.MaxBatchIncrements - Count)
        {
            return new Rejection(
                RejectionReason.Invalid, "increments", $"{Count + (long)ids.Length} increments", $"1 to {EngineLimits.MaxBatchIncrements}");
        }

        if (_references.Length < ids.Length)
        {
            _references = new long[EngineLimits.MaxBatchIncrements];
        }

        if (_sketch + ids.Length > _sketchIds.Length)
        {
            GrowSketchRows(EngineLimits.MaxBatchIncrements);
        }

        Span<long> references = _references.AsSpan(0, ids.Length);
        _catalogue.Counters.Find(ids, references);
        // What nearly every row is: declared, without a definition of its own, in this namespace, and small.
        NamespaceEntry owner = Owner;
        bool isApproximate = owner.State.Definition.Tier == Tier.Approximate;
        long usual = NameEntry.Usual(owner.State.Index);
        for (; at < ids.Length; at++)
        {
            if (isApproximate && NameEntry.UsualPart(references[at]) == usual && (ulong)deltas[at] < MaxSketchDelta)
            {
                _sketchIds[_sketch] = ids[at];
                _sketchDeltas[_sketch++] = (uint)deltas[at];
                _largest = Math.Max(_largest, (uint)deltas[at]);
                Weight += deltas[at];
            }
            else if (AddUnusual(ids[at], deltas[at], owner) is { } refused)
            {
                return refused;
            }
        }

        return null;
    }

    private Rejection? AddUnusual(ulong id, long delta, NamespaceEntry owner)
    {
        Tier tier = owner.State.Definition.Tier;
        if (id != 0 && _catalogue.Counters.TryGet(id, out NameEntry entry) && entry.NamespaceIndex == owner.State.Index)
        {
            if (entry.IsDefined && OfOtherKind(id) is { } otherKind)
            {
                return otherKind;
            }

            tier = _catalogue.TierOf(id, entry, owner);
            if (!entry.IsDeclared && !_newIds.Contains(id))
            {
                // Another batch brings it too, but may be refused.
                if (_catalogue.Entered(id) is { } name)
                {
                    AppendName(id, name);
                }
                else if (!_catalogue.Counters.TryGet(id, out entry) || !entry.IsDeclared)
                {
                    return UnknownId(id);
                }
            }
        }
        else if (!_newIds.Contains(id))
        {
            return UnknownId(id);
        }

        if (Definitions.CheckDelta(delta, tier) is { } badDelta)
        {
            return badDelta;
        }

        Append(id, delta, tier);
        return null;
    }

    private static Rejection UnknownId(ulong id) =>
        new(RejectionReason.Invalid, "id", $"{id:x16}", "the id of a counter of this namespace, or of a name that the batch declares");
}
