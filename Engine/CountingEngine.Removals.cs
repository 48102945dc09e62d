using System.Text;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Fold;
using Sketch.Engine.Log;

namespace Sketch.Engine;

/// <content>Deleting counters and setting them to zero.</content>
public sealed partial class CountingEngine
{
    // Each removal may close a window: as long as the store lags, no more are made than this, so that readers have few windows to look at.
    private const int MaxWaitingWindows = 8;

    /// <summary>
    /// Deletes a counter; returns once that is fsynced and the next read sees it gone. Incremented or defined again it begins at zero, and may be of another kind. Null when
    /// done, else the refusal.
    /// </summary>
    /// <exception cref="EngineBusyException">Overload, a full disk, or the node is stopping.</exception>
    public ValueTask<Rejection?> DeleteCounterAsync(string @namespace, string name, CancellationToken cancellationToken) =>
        RemoveAsync(@namespace, name, deleted: true, cancellationToken);

    /// <summary>Sets a counter to zero; returns once that is fsynced and the next read sees it. Its definition stays. Null when done, else the refusal.</summary>
    /// <exception cref="EngineBusyException">Overload, a full disk, or the node is stopping.</exception>
    public ValueTask<Rejection?> ResetCounterAsync(string @namespace, string name, CancellationToken cancellationToken) =>
        RemoveAsync(@namespace, name, deleted: false, cancellationToken);

    // The store learns of a deletion by its checkpoint: until then it still names what is gone.
    private async ValueTask<List<string>> FindStoredAsync(
        string @namespace, string prefix, string? after, int limit, CancellationToken cancellationToken)
    {
        List<string> found = [];
        while (true)
        {
            IReadOnlyList<string> some = await _store.FindNamesAsync(@namespace, prefix, after, limit, cancellationToken).ConfigureAwait(false);
            found.AddRange(some.Where(name => !IsRemoved(@namespace, name)));
            if (some.Count < limit || found.Count >= limit)
            {
                return found;
            }

            after = some[^1];
        }
    }

    private bool IsRemoved(string @namespace, string name) =>
        _catalogue.Counters.IsRemoved(CounterId.Of(@namespace, name));

    private async ValueTask<Rejection?> RemoveAsync(string @namespace, string name, bool deleted, CancellationToken cancellationToken)
    {
        if (_catalogue.Find(@namespace) is not { } owner)
        {
            return CounterName.NoNamespace(@namespace);
        }

        byte[] utf8 = Encoding.UTF8.GetBytes(name);
        if (CounterName.Check(utf8) is { } badName)
        {
            return badName;
        }

        if (!_catalogue.Counters.TryGet(CounterId.Of(@namespace, name), out NameEntry entry) || !entry.IsDeclared || !entry.Is(owner.State.Index, utf8))
        {
            return new Rejection(RejectionReason.NotFound, "name", CounterName.Shown(utf8), "a counter that was incremented or made with PUT");
        }

        if (_views.View.Windows.Length > MaxWaitingWindows)
        {
            throw new EngineBusyException(AppendStatus.Busy);
        }

        await AppendAsync(RecordKind.Removal, new RemovalRecord(@namespace, [name], deleted).ToBytes(), cancellationToken).ConfigureAwait(false);
        return null;
    }
}
