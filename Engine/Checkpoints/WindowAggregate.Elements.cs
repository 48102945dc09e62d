using Sketch.Engine.Catalogue;
using Sketch.Engine.Elements;
using Sketch.Engine.Fold;

namespace Sketch.Engine.Checkpoints;

/// <content>Elements, deletions and resets.</content>
internal sealed partial class WindowAggregate
{
    private readonly HashSet<(string Namespace, ulong Id)> _restarted = [];

    /// <inheritdoc/>
    public void CountedElements(NamespaceState owner, in ElementPayload payload, in WindowSpan window)
    {
    }

    /// <inheritdoc/>
    public void Removed(NamespaceState owner, ulong id, string name, bool deleted)
    {
        _restarted.Add((owner.Definition.Name, id));
        if (deleted)
        {
            _names[id] = Named(owner, id, new CounterDefinition(name), owner.Definition.Tier, 0) with { Deleted = true };
        }
        else if (fold.Counters.TryGetValue(id, out CounterState? state))
        {
            Defined(id, state);
        }
    }

    private (string Namespace, ulong Id)[] TakeRestarted()
    {
        (string Namespace, ulong Id)[] taken = [.. _restarted.OrderBy(r => r.Namespace, StringComparer.Ordinal).ThenBy(r => r.Id)];
        _restarted.Clear();
        return taken;
    }
}
