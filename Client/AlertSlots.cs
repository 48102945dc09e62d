namespace Sketch.Client;

/// <summary>One slot a rule for alerts that have arrived: a loop that is busy finds the newest of each, and nothing grows.</summary>
internal sealed class AlertSlots(string @namespace)
{
    private const int MaxSlots = 1_000;

    private readonly Lock _lock = new();
    private readonly OrderedDictionary<string, LiveAlert> _slots = new(StringComparer.Ordinal);
    private TaskCompletionSource _filled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _ended;

    public void Put(LiveAlert alert)
    {
        if (alert.Namespace != @namespace)
            return;
        lock (_lock)
        {
            if (_slots.Count < MaxSlots || _slots.ContainsKey(alert.Id))
                _slots[alert.Id] = alert;
            _filled.TrySetResult();
        }
    }

    /// <summary>The connection broke.</summary>
    public void End()
    {
        lock (_lock)
        {
            _ended = true;
            _filled.TrySetResult();
        }
    }

    /// <summary>The next alert; null when the connection broke.</summary>
    public async Task<LiveAlert?> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task filled;
            lock (_lock)
            {
                if (_slots.Count > 0)
                {
                    LiveAlert next = _slots.GetAt(0).Value;
                    _slots.RemoveAt(0);
                    return next;
                }

                if (_ended)
                    return null;
                if (_filled.Task.IsCompleted)
                    _filled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                filled = _filled.Task;
            }

            await filled.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
