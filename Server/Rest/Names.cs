using Microsoft.AspNetCore.Http.Features;
using Sketch.Engine.Catalogue;

namespace Sketch.Server.Rest;

/// <summary>Names as they stand in paths and bodies.</summary>
internal static class Names
{
    /// <summary>The tiers, for error texts.</summary>
    public const string Tiers = "strong, eventual, approximate";

    /// <summary>The kinds, for error texts.</summary>
    public const string Kinds = "sum, distinct, top";

    // /v1/namespaces/{namespace}/counters/{name}
    private const int NameSegment = 5;

    /// <summary>
    /// The counter's name in the path. Taken from the request line, since the decoded path leaves %2F as it is and so could not tell
    /// the name a/b (a%2Fb) from a%2Fb (a%252Fb).
    /// </summary>
    public static string Counter(HttpContext context)
    {
        string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        int query = target.IndexOf('?', StringComparison.Ordinal);
        string[] segments = (query < 0 ? target : target[..query]).Split('/');
        return segments.Length > NameSegment ? Uri.UnescapeDataString(segments[NameSegment]) : "";
    }

    /// <summary>A tier by its name.</summary>
    /// <exception cref="ProblemException">There is none of that name.</exception>
    public static Tier Tier(string text) => text switch
    {
        "strong" => Engine.Catalogue.Tier.Strong,
        "eventual" => Engine.Catalogue.Tier.Eventual,
        "approximate" => Engine.Catalogue.Tier.Approximate,
        _ => throw new ProblemException(Problem.Invalid("tier", text, Tiers)),
    };

    /// <summary>A tier's name.</summary>
    public static string Of(Tier tier) => tier switch
    {
        Engine.Catalogue.Tier.Strong => "strong",
        Engine.Catalogue.Tier.Eventual => "eventual",
        _ => "approximate",
    };

    /// <summary>A kind by its name.</summary>
    /// <exception cref="ProblemException">There is none of that name.</exception>
    public static CounterKind Kind(string text) => text switch
    {
        "sum" => CounterKind.Sum,
        "distinct" => CounterKind.Distinct,
        "top" => CounterKind.Top,
        _ => throw new ProblemException(Problem.Invalid("kind", text, Kinds)),
    };
}
