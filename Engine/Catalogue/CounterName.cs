using System.Text;
using System.Text.Unicode;

namespace Sketch.Engine.Catalogue;

/// <summary>What names counters and namespaces may have.</summary>
public static class CounterName
{
    private const string Allowed = "1 to 256 bytes of UTF-8 without control characters";

    /// <summary>Null when a counter may have this name, else the refusal, of the field name.</summary>
    public static Rejection? Check(ReadOnlySpan<byte> nameUtf8)
    {
        if (nameUtf8.Length is > 0 and <= EngineLimits.MaxNameBytes && !HasControl(nameUtf8) && Utf8.IsValid(nameUtf8))
        {
            return null;
        }

        string shown = nameUtf8.Length > EngineLimits.MaxNameBytes ? $"{Shown(nameUtf8)} ({nameUtf8.Length} bytes)" : Shown(nameUtf8);
        return new Rejection(RejectionReason.Invalid, "name", shown, Allowed);
    }

    /// <summary>Null when a namespace may have this name, else the refusal.</summary>
    public static Rejection? CheckNamespace(string name)
    {
        bool good = name.Length is > 0 and <= EngineLimits.MaxNamespaceLength && char.IsAsciiLetterOrDigit(name[0]);
        foreach (char c in name)
        {
            good &= char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_' or '.';
        }

        return good
            ? null
            : new Rejection(
                RejectionReason.Invalid, "namespace", Shown(Encoding.UTF8.GetBytes(name)),
                $"1 to {EngineLimits.MaxNamespaceLength} of a-z, 0-9, '-', '_' and '.', starting with a letter or digit");
    }

    /// <summary>The refusal of a namespace that does not exist.</summary>
    internal static Rejection NoNamespace(string name) =>
        new(RejectionReason.NotFound, "namespace", Shown(Encoding.UTF8.GetBytes(name)), "an existing namespace; create it with PUT /v1/namespaces/{namespace}");

    /// <summary>The refusal of a name whose id belongs to another.</summary>
    internal static Rejection Taken(ReadOnlySpan<byte> nameUtf8) => new(
        RejectionReason.Conflict, "name", Shown(nameUtf8), "a name whose 64-bit hash is free; another counter's name has the same");

    /// <summary>A name as an error shows it: quoted, control characters replaced, at most 100 characters.</summary>
    internal static string Shown(ReadOnlySpan<byte> nameUtf8)
    {
        string name = Encoding.UTF8.GetString(nameUtf8[..Math.Min(nameUtf8.Length, 400)]);
        StringBuilder shown = new("'");
        foreach (char c in name.Length > 100 ? name.AsSpan(0, 100) : name)
        {
            shown.Append(char.IsControl(c) ? '\uFFFD' : c);
        }

        return shown.Append(name.Length > 100 ? "...'" : "'").ToString();
    }

    private static bool HasControl(ReadOnlySpan<byte> utf8)
    {
        foreach (byte b in utf8)
        {
            if (b is < 0x20 or 0x7F)
            {
                return true;
            }
        }

        return false;
    }
}
