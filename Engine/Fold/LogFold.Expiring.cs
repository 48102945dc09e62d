using Sketch.Engine.Catalogue;
using Sketch.Engine.Elements;
using Sketch.Engine.Increments;
using Sketch.Engine.Log;

namespace Sketch.Engine.Fold;

/// <content>
/// Counters that nobody incremented for long go in two steps. An expiring record names them; whoever increments one after it says its name, which is cheap to see here,
/// and saves it. Then a removal takes those that were not saved.
/// </content>
internal sealed partial class LogFold
{
    /// <summary>Counters that may be about to go.</summary>
    public ExpiringCounters Expiring { get; } = new();

    private void BeginExpiring<TSink>(in LoggedRecord record, TSink sink)
        where TSink : IFoldSink
    {
        ExpiringRecord expiring = ExpiringRecord.From(record.Payload);
        CutAtHour(record, sink);
        Extend(record);
        _window = _window with { Definitions = _window.Definitions + 1 };
        Expiring.Begin(record.Position, expiring.Namespace, expiring.Names);
        sink.ExpiringChanged();
    }

    private void SaveCounted(NamespaceState owner, in IncrementPayload payload, in ElementPayload elements, bool hasElements)
    {
        if (Expiring.Names.Count == 0)
        {
            return;
        }

        foreach (ReadOnlySpan<byte> name in payload.Names)
        {
            Expiring.Save(CounterId.Of(owner.IdPrefix, name));
        }

        if (payload.DefinitionsAt < Expiring.Position)
        {
            // Its sender could not know that names were asked for.
            Expiring.Save(payload.ExactIds);
            Expiring.Save(payload.ApproximateIds);
            Expiring.Save(hasElements ? elements.DistinctIds : []);
        }
    }

    // Nothing changes yet: the window before is closed, and perhaps saved, as it was.
    private IReadOnlyList<string> Removable(RemovalRecord removal) => removal.Expiring is not { } position ? removal.Names
        : position != Expiring.Position ? []
        : [.. removal.Names.Where(name => Expiring.Names.ContainsKey(CounterId.Of(removal.Namespace, name)))];

    private void EndExpiring<TSink>(RemovalRecord removal, TSink sink)
        where TSink : IFoldSink
    {
        if (removal.Expiring == Expiring.Position)
        {
            Expiring.SaveAll();
            sink.ExpiringChanged();
        }
    }
}
