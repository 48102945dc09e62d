using Microsoft.AspNetCore.SignalR;

namespace Sketch.Client;

/// <summary>The node refuses what was asked for, in its own words: the field, its value, and what is allowed.</summary>
public sealed class LiveRefusedException : Exception
{
    private const string Prefix = "HubException: ";

    internal LiveRefusedException(string message, Exception inner)
        : base(message, inner)
    {
    }

    // "An unexpected error occurred invoking 'Watch' on the server. HubException: namespace is ..."
    internal static LiveRefusedException From(HubException refused)
    {
        int at = refused.Message.IndexOf(Prefix, StringComparison.Ordinal);
        return new LiveRefusedException(at < 0 ? refused.Message : refused.Message[(at + Prefix.Length)..], refused);
    }
}
