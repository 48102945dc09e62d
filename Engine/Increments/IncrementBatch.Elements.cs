using System.Text;
using System.Text.Unicode;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Elements;
using Sketch.Engine.Fold;

namespace Sketch.Engine.Increments;

/// <content>Elements of counters of the kinds distinct and top.</content>
public sealed partial class IncrementBatch
{
    private static readonly string ElementForm = $"1 to {EngineLimits.MaxElementBytes} bytes of UTF-8";

    private readonly ElementColumns _elements = new();
    private long _reservedElements;

    /// <summary>
    /// Adds one element; a refusal names the field without its place, for example element, and leaves the batch as it was. The counter must have been made with its kind
    /// before: nobody can tell from an element whether different ones or the largest ones are to be counted.
    /// </summary>
    /// <param name="nameUtf8">The counter's name.</param>
    /// <param name="elementUtf8">1 to <see cref="EngineLimits.MaxElementBytes"/> bytes of valid UTF-8.</param>
    /// <param name="delta">For the kind top, 0 to <see cref="EngineLimits.MaxDelta"/>, 1 when null; null for the kind distinct.</param>
    /// <returns>Null when added.</returns>
    public Rejection? AddElement(ReadOnlySpan<byte> nameUtf8, ReadOnlySpan<byte> elementUtf8, long? delta)
    {
        if (CounterName.Check(nameUtf8) is { } badName)
        {
            return badName;
        }

        if (elementUtf8.Length is 0 or > EngineLimits.MaxElementBytes || !Utf8.IsValid(elementUtf8))
        {
            return new Rejection(RejectionReason.Invalid, "element", $"{CounterName.Shown(elementUtf8)} ({elementUtf8.Length} bytes)", ElementForm);
        }

        if (Count == EngineLimits.MaxBatchIncrements)
        {
            return new Rejection(
                RejectionReason.Invalid, "increments", $"more than {EngineLimits.MaxBatchIncrements} increments", $"1 to {EngineLimits.MaxBatchIncrements}");
        }

        ulong id = CounterId.Of(Owner.IdPrefix, nameUtf8);
        CounterState? counter = _catalogue.Counters.TryGet(id, out NameEntry entry) && entry.IsDefined && entry.Is(Owner.State.Index, nameUtf8)
            ? _catalogue.Defined(id)
            : null;
        switch (counter?.Kind)
        {
            case CounterKind.Distinct when delta is null:
                AppendExpiring(id, entry, nameUtf8);
                _elements.AddElement(id, _catalogue.Elements.Hasher.Hash(elementUtf8));
                IsStrong |= counter.Tier == Tier.Strong;
                return null;
            case CounterKind.Distinct:
                return new Rejection(RejectionReason.Invalid, "delta", $"{delta}", "no delta: the counter is of the kind distinct, which counts different elements");
            case CounterKind.Top when delta is null or (>= 0 and <= EngineLimits.MaxDelta):
                // The counter's own value is a sum like any other.
                AppendExpiring(id, entry, nameUtf8);
                Append(id, delta ?? 1, counter.Tier);
                _elements.AddItem(id, _catalogue.Elements.Hasher.ItemId(id, elementUtf8), delta ?? 1, elementUtf8);
                return null;
            case CounterKind.Top:
                return new Rejection(RejectionReason.Invalid, "delta", $"{delta}", $"0 to {EngineLimits.MaxDelta} for an item of a counter of the kind top");
            case CounterKind.Sum:
                return new Rejection(
                    RejectionReason.Invalid, "element", CounterName.Shown(elementUtf8), $"delta: {CounterName.Shown(nameUtf8)} is of the kind sum");
            default:
                return new Rejection(
                    RejectionReason.Invalid, "name", CounterName.Shown(nameUtf8),
                    "a counter that was made with the kind distinct or top before elements are added to it (PUT /v1/namespaces/{namespace}/counters/{name})");
        }
    }

    private void AppendExpiring(ulong id, NameEntry entry, ReadOnlySpan<byte> nameUtf8)
    {
        if (entry.NeedsName)
        {
            AppendName(id, nameUtf8);
        }
    }

    /// <summary>The element rows.</summary>
    internal ElementColumns Elements => _elements;

    /// <summary>Reserves room for elements that are kept; null when there is room.</summary>
    internal Rejection? ReserveElements() =>
        _elements.DistinctCount == 0 ? null : _catalogue.Elements.TryReserve(_elements, _catalogue.Defined, out _reservedElements);

    /// <summary>Gives that room back: the batch was counted, or was not.</summary>
    internal void ReleaseElements()
    {
        _catalogue.Elements.Release(_reservedElements);
        _reservedElements = 0;
    }

    private Rejection? OfOtherKind(ulong id) => _catalogue.Defined(id) is { Kind: not CounterKind.Sum } counter
        ? new Rejection(
            RejectionReason.Invalid, "delta", "without an element", $"element: {CounterName.Shown(Encoding.UTF8.GetBytes(counter.Definition.Name))} is of the kind {Lowercase<CounterKind>.Of(counter.Kind)}")
        : null;

    private ReadOnlyMemory<byte> WithElements(ReadOnlyMemory<byte> sums) =>
        _elements.IsEmpty ? sums : _elements.Encode(Owner.State.Index, _catalogue.Elements.Hasher.KeyId, sums.Span);

    /// <summary>What the batch is in the log.</summary>
    internal Log.RecordKind RecordKind => _elements.IsEmpty ? Log.RecordKind.Increments : Log.RecordKind.Elements;
}
