using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Sketch.Engine.Reads;

namespace Sketch.Server.Commands;

/// <summary>Options that several commands share; each call makes new ones, since an option belongs to one command.</summary>
internal static class CommonOptions
{
    /// <summary>Where the node is.</summary>
    public static Option<Uri> Url(string otherwise = "http://127.0.0.1:8080") => new("--url")
    {
        Description = $"The node (default {otherwise}).",
        HelpName = "URL",
        DefaultValueFactory = _ => new Uri(otherwise),
        CustomParser = result => Uri.TryCreate(Token(result), UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https"
            ? url
            : Refuse<Uri>(result, "--url", "http://host:port"),
    };

    /// <summary>For machines.</summary>
    public static Option<bool> Json() => new("--json") { Description = "Print JSON for machines." };

    /// <summary>How sure the bounds are.</summary>
    public static Option<double> Confidence() => new("--confidence")
    {
        Description = "How sure the bounds are, above 0.5 and below 1 (default 0.99).",
        HelpName = "P",
        DefaultValueFactory = _ => ICounterReader.DefaultConfidence,
        CustomParser = result => double.TryParse(Token(result), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double p) && p is > 0.5 and < 1
            ? p
            : Refuse<double>(result, "--confidence", "a number above 0.5 and below 1"),
    };

    /// <summary>A whole number in a range.</summary>
    public static Option<int> Whole(string name, string description, int min, int max, int otherwise, params string[] aliases) => new(name, aliases)
    {
        Description = $"{description} ({min} to {max}, default {otherwise}).",
        HelpName = "N",
        DefaultValueFactory = _ => otherwise,
        CustomParser = result => int.TryParse(Token(result), NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n >= min && n <= max
            ? n
            : Refuse<int>(result, name, $"{min} to {max}"),
    };

    /// <summary>A number that may be left out; below and above are not allowed themselves.</summary>
    public static Option<double?> Number(string name, string description, double above, double below, string allowed) => new(name)
    {
        Description = description,
        HelpName = "X",
        CustomParser = result => double.TryParse(Token(result), NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double x) && x > above && x < below
            ? x
            : Refuse<double?>(result, name, allowed),
    };

    /// <summary>One of several words.</summary>
    public static Option<string> Word(string name, string description, string otherwise, params string[] allowed) => new(name)
    {
        Description = $"{description} ({string.Join(", ", allowed)}; default {otherwise}).",
        HelpName = string.Join('|', allowed),
        DefaultValueFactory = _ => otherwise,
        CustomParser = result => allowed.Contains(Token(result)) ? Token(result) : Refuse<string>(result, name, string.Join(", ", allowed)),
    };

    /// <summary>The text of a single value.</summary>
    private static string Token(ArgumentResult result) => result.Tokens.Count > 0 ? result.Tokens[^1].Value : "";

    private static T? Refuse<T>(ArgumentResult result, string name, string allowed)
    {
        string value = Token(result);
        result.AddError($"{name} is {(value.Length == 0 ? "empty" : value)}; allowed: {allowed}");
        return default;
    }
}
