using System.Numerics;
using System.Runtime.Intrinsics;
using System.Text;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Tables;

namespace Sketch.Engine.Increments;

/// <content>Columns of ids whose names the node knows, or the batch declares: the fast door. Nothing is hashed and no name is looked at.</content>
public sealed partial class IncrementBatch
{
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
        if (MakeRoom(ids.Length) is { } tooMany)
        {
            return tooMany;
        }

        Span<long> references = stackalloc long[IdLines.Together];
        for (; at < ids.Length; at += IdLines.Together)
        {
            int count = Math.Min(IdLines.Together, ids.Length - at);
            ReadOnlySpan<ulong> some = ids.Slice(at, count);
            _catalogue.Counters.Find(some, references[..count]);
            if (Add(some, deltas.Slice(at, count), references[..count], out int wrong) is { } refused)
            {
                at += wrong;
                return refused;
            }
        }

        return null;
    }

    private Rejection? MakeRoom(int increments)
    {
        if (increments > EngineLimits.MaxBatchIncrements - Count)
        {
            return new Rejection(
                RejectionReason.Invalid, "increments", $"{Count + (long)increments} increments", $"1 to {EngineLimits.MaxBatchIncrements}");
        }

        if (_sketch + increments > _sketchIds.Length)
        {
            GrowSketchRows((int)BitOperations.RoundUpToPowerOf2((uint)(_sketch + increments)));
        }

        return null;
    }

    private Rejection? Add(ReadOnlySpan<ulong> ids, ReadOnlySpan<long> deltas, ReadOnlySpan<long> references, out int at)
    {
        NamespaceEntry owner = Owner;
        Tier tier = owner.State.Definition.Tier;
        long usual = NameEntry.Usual(owner.State.Index);
        for (at = 0; at < ids.Length; at++)
        {
            at += tier == Tier.Approximate
                ? AddUsual(ids[at..], deltas[at..], references[at..], usual)
                : AddUsualExact(ids[at..], deltas[at..], references[at..], usual, tier);
            if (at == ids.Length)
            {
                break;
            }

            if (AddUnusual(ids[at], deltas[at], owner) is { } refused)
            {
                return refused;
            }
        }

        return null;
    }

    // Adds what nearly every row is: declared, without a definition of its own, in this namespace, and small. Stops before the first that is not.
    private int AddUsual(ReadOnlySpan<ulong> ids, ReadOnlySpan<long> deltas, ReadOnlySpan<long> references, long usual)
    {
        Span<uint> narrow = _sketchDeltas.AsSpan(_sketch, ids.Length);
        long weight = 0;
        long bits = 0;
        int added = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            Vector256<long> weights = default;
            Vector256<long> all = default;
            for (; added <= ids.Length - Vector256<long>.Count; added += Vector256<long>.Count)
            {
                Vector256<long> some = Vector256.Create(deltas[added..]);
                Vector256<long> wrong = (NameEntry.UsualPart(Vector256.Create(references[added..])) ^ Vector256.Create(usual)) | (some & Vector256.Create(~(MaxSketchDelta - 1L)));
                if (wrong != default)
                {
                    break;
                }

                weights += some;
                all |= some;
                Vector128.Narrow(some.GetLower(), some.GetUpper()).AsUInt32().CopyTo(narrow[added..]);
            }

            weight = Vector256.Sum(weights);
            bits = all[0] | all[1] | all[2] | all[3];
        }

        for (; added < ids.Length && NameEntry.UsualPart(references[added]) == usual && (ulong)deltas[added] < MaxSketchDelta; added++)
        {
            narrow[added] = (uint)deltas[added];
            weight += deltas[added];
            bits |= deltas[added];
        }

        ids[..added].CopyTo(_sketchIds.AsSpan(_sketch));
        _sketch += added;
        Weight += weight;
        _deltaBits |= (uint)bits;
        return added;
    }

    // The same in a namespace of exact counters: of any delta that is allowed at all.
    private int AddUsualExact(ReadOnlySpan<ulong> ids, ReadOnlySpan<long> deltas, ReadOnlySpan<long> references, long usual, Tier tier)
    {
        if (_exact + ids.Length > _exactIds.Length)
        {
            GrowExactRows((int)BitOperations.RoundUpToPowerOf2((uint)(_exact + ids.Length)));
        }

        long weight = 0;
        int added = 0;
        for (; added < ids.Length && NameEntry.UsualPart(references[added]) == usual && deltas[added] is >= -EngineLimits.MaxDelta and <= EngineLimits.MaxDelta; added++)
        {
            weight += Math.Abs(deltas[added]);
        }

        ids[..added].CopyTo(_exactIds.AsSpan(_exact));
        deltas[..added].CopyTo(_exactDeltas.AsSpan(_exact));
        _exact += added;
        Weight += weight;
        IsStrong |= added > 0 && tier == Tier.Strong;
        return added;
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
            if (entry.IsDeclared)
            {
                if (entry.NeedsName && _catalogue.Expiring.GetValueOrDefault(id) is { } expiring)
                {
                    AppendName(id, Encoding.UTF8.GetBytes(expiring));
                }
            }
            else if (!_newIds.Contains(id))
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
