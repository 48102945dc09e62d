using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Sketch.Engine;

namespace Sketch.Server.Rest;

/// <summary>What the OpenAPI document says, beyond what the routes' signatures show.</summary>
internal static class ApiDescription
{
    private static readonly Dictionary<string, Parameter> Parameters = new(StringComparer.Ordinal)
    {
        ["namespace"] = new("The namespace: 1 to 64 of a-z, 0-9, '-', '_' and '.', starting with a letter or digit.", new() { Type = JsonSchemaType.String, MaxLength = EngineLimits.MaxNamespaceLength }),
        ["name"] = new($"The counter's name, 1 to {EngineLimits.MaxNameBytes} bytes of UTF-8, percent-encoded ('/' as %2F).", new() { Type = JsonSchemaType.String }),
        ["confidence"] = new("How sure the bounds are, above 0.5 and below 1.", new() { Type = JsonSchemaType.Number, Default = JsonValue.Create(0.99) }),
        ["limit"] = new("The most values on a page.", Whole(1, QueryParameters.MaxValues, 100)),
        ["k"] = new("How many.", Whole(1, QueryParameters.MaxValues, 10)),
        ["prefix"] = new("Only names that start so.", new() { Type = JsonSchemaType.String }),
        ["cursor"] = new("The cursor of the previous page.", new() { Type = JsonSchemaType.String }),
        ["from"] = new("Start; default 24 hours before to.", new() { Type = JsonSchemaType.String, Format = "date-time" }),
        ["to"] = new("End, exclusive; default now.", new() { Type = JsonSchemaType.String, Format = "date-time" }),
        ["step"] = new("What a point covers: 1h to 744h or 1d to 31d.", new() { Type = JsonSchemaType.String, Default = JsonValue.Create("1h") }),
        ["names"] = new("A counter; give the parameter once a counter, 1 to 1000 times.", new() { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.String } }),
        ["labels"] = new("Labels that a counter must have, with commas between them: lang=en,team (a name alone stands for any value; \\ before ',', '=' and '\\').", new() { Type = JsonSchemaType.String }),
        ["top"] = new("The k heaviest counters.", new() { Type = JsonSchemaType.Integer, Minimum = "1", Maximum = "1000" }),
        ["intervalMs"] = new("At most one event in this time.", new() { Type = JsonSchemaType.Integer, Minimum = "50", Maximum = "60000", Default = JsonValue.Create(1_000) }),
        ["id"] = new("The alert's name: 1 to 64 of a-z, 0-9, '-', '_' and '.', starting with a letter or digit.", new() { Type = JsonSchemaType.String, MaxLength = EngineLimits.MaxNamespaceLength }),
        ["producer"] = new($"For application/x-ndjson: who sends, 1 to {EngineLimits.MaxProducerBytes} bytes.", new() { Type = JsonSchemaType.String }),
        ["sequence"] = new("For application/x-ndjson: the producer's number for this batch, from 1.", new() { Type = JsonSchemaType.Integer, Format = "int64", Minimum = "1" }),
    };

    /// <summary>Title and words of a route.</summary>
    public static RouteHandlerBuilder Describe(this RouteHandlerBuilder route, string tag, string summary, string description) =>
        route.WithTags(tag).WithSummary(summary).WithDescription(description);

    /// <summary>Errors of a route, as application/problem+json.</summary>
    public static RouteHandlerBuilder Problems(this RouteHandlerBuilder route, params ReadOnlySpan<int> statuses)
    {
        foreach (int status in statuses)
            route.Produces<Problem>(status, "application/problem+json");
        return route;
    }

    /// <summary>A route's JSON body, and what else it may be. Only described here: the route itself checks, and says what was wrong.</summary>
    public static RouteHandlerBuilder Body<T>(this RouteHandlerBuilder route, bool required, params string[] more)
        where T : notnull => route.WithMetadata(new BodyShape(typeof(T), required, [ContentTypes.Json, .. more]));

    /// <summary>A route's query parameters.</summary>
    public static RouteHandlerBuilder Query(this RouteHandlerBuilder route, params string[] names) => route.WithMetadata(new QueryNames(names));

    /// <summary>Adds the document's head and the routes' parameters.</summary>
    public static void Configure(OpenApiOptions options)
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Sketch",
                Version = Product.Version,
                Description = "Counters with live values, honest bounds and exact totals. Every error is application/problem+json and names the field, "
                    + "its value and what is allowed.",
            };
            return Task.CompletedTask;
        });
        options.AddOperationTransformer(async (operation, context, cancellationToken) =>
        {
            AddParameters(operation, context.Description.RelativePath ?? "", context.Description.ActionDescriptor.EndpointMetadata);
            if (context.Description.ActionDescriptor.EndpointMetadata.OfType<BodyShape>().FirstOrDefault() is not { } shape)
                return;
            OpenApiSchema schema = await context.GetOrCreateSchemaAsync(shape.Type, null, cancellationToken).ConfigureAwait(false);
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = shape.Required,
                Content = shape.ContentTypes.ToDictionary(type => type, _ => new OpenApiMediaType { Schema = schema }),
            };
        });
    }

    private static void AddParameters(OpenApiOperation operation, string path, IList<object> metadata)
    {
        operation.Parameters = [];
        foreach (string name in (ReadOnlySpan<string>)["namespace", "name", "id"])
        {
            if (path.Contains($"{{{name}}}", StringComparison.Ordinal))
                operation.Parameters.Add(Make(name, ParameterLocation.Path));
        }

        foreach (string name in metadata.OfType<QueryNames>().SelectMany(query => query.Names))
            operation.Parameters.Add(Make(name, ParameterLocation.Query));
    }

    private static OpenApiParameter Make(string name, ParameterLocation place) => new()
    {
        Name = name,
        In = place,
        Required = place == ParameterLocation.Path,
        Description = Parameters[name].Description,
        Schema = Parameters[name].Schema,
    };

    private static OpenApiSchema Whole(int min, int max, int otherwise) => new()
    {
        Type = JsonSchemaType.Integer,
        Minimum = $"{min}",
        Maximum = $"{max}",
        Default = JsonValue.Create(otherwise),
    };

    private sealed record Parameter(string Description, OpenApiSchema Schema);

    private sealed record QueryNames(IReadOnlyList<string> Names);

    private sealed record BodyShape(Type Type, bool Required, IReadOnlyList<string> ContentTypes);
}
